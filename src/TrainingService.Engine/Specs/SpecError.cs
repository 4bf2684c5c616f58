namespace TrainingService.Engine.Specs;

/// <summary>One broken rule of a spec.</summary>
/// <param name="Pointer">Where, as a JSON pointer below the spec's root (<c>/model/hiddenLayers/2</c>).</param>
/// <param name="Message">What is wrong, what is allowed and, for a near miss, what was probably meant.</param>
public readonly record struct SpecError(string Pointer, string Message);

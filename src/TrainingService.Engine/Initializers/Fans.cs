using TrainingService.Engine.Activations;

namespace TrainingService.Engine.Initializers;

/// <summary>What an initialiser's formula may depend on. PyTorch's weight is (out, in): fan_in is its second dimension.</summary>
/// <param name="In">Inputs.</param>
/// <param name="Out">Outputs.</param>
/// <param name="Activation">That follows, if only after a norm; its gain may enter.</param>
internal readonly record struct Fans(int In, int Out, ActivationFunction Activation);

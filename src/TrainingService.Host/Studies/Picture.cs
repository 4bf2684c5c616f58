namespace TrainingService.Host.Studies;

/// <summary>
/// Each arm as a point: a result, with its interval over the seeds, against what sets the arms apart.
/// </summary>
/// <param name="X">A field that arms differ in (its last name: <c>learningRate</c>), <c>depth</c> or <c>width</c> of the net, or a measure.
/// </param>
/// <param name="Y">The measure, by its name as a sweep's metric.</param>
/// <param name="Title">What one sees.</param>
/// <param name="Along">The field that changes along a curve, where that isn't <paramref name="X"/> itself.</param>
public sealed record Picture(string X, string Y, string Title, string? Along = null);

using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace TrainingService.Host.Findings;

/// <summary>How a run with the change did beside the job itself.</summary>
/// <param name="Metric">
/// <c>validationAccuracy</c>, or <c>validationLoss</c> where the accuracies are equal or there are none; <c>trainAccuracy</c> and
/// <c>trainLoss</c> without validation rows. Of the run's result where both were trained to their end, else at the same step.
/// </param>
/// <param name="Before">Of the job; null where it diverged.</param>
/// <param name="After">With the change; null where that diverged.</param>
/// <param name="Steps">Optimiser steps of the trial that this is told of.</param>
public sealed record Trial(string Metric, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] float? Before,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] float? After, long Steps);

/// <summary>A change that was tried, whether it helped or not.</summary>
/// <param name="Sentence">In words.</param>
/// <param name="Patch">As a JSON merge patch (RFC 7396).</param>
/// <param name="Trial">How it did.</param>
/// <param name="Helps">
/// Whether the accuracy is up by more than twice its standard error on those rows; or it is no lower, no worse on the training rows either,
/// and the loss is down by more than 5 % and 1/sqrt(rows) of it; or, where the time ended before the run did,
/// the finding is gone or less severe.
/// </param>
public sealed record TriedChange(string Sentence, JsonObject Patch, Trial Trial, bool Helps);

namespace TrainingService.Engine.Diagnostics;

/// <summary>
/// A layer's state at one step, measured on the fixed evaluation rows with dropout off. Fractions are shares of the layer's units.
/// </summary>
public record LayerPoint
{
    /// <summary>Optimiser steps done.</summary>
    public required long Step { get; init; }

    /// <summary>Passes done, with fractions.</summary>
    public required double Epoch { get; init; }

    /// <summary>Index of the dense layer, from 0; the output layer is last.</summary>
    public required int Layer { get; init; }

    /// <summary>Share of activations that are exactly 0.</summary>
    public float Sparsity { get; init; }

    /// <summary>Share of pre-activations z &lt;= 0.</summary>
    public float OffRate { get; init; }

    /// <summary>
    /// Units with z &lt;= 0 on every row, of an activation that then passes no gradient (relu, relu6, ...); of all others none is dead.
    /// </summary>
    public float DeadFraction { get; init; }

    /// <summary>Units that are dead now and were at step 0.</summary>
    public float BornDeadFraction { get; init; }

    /// <summary>Units that are dead now and were alive at step 0.</summary>
    public float DiedFraction { get; init; }

    /// <summary>Units with z &gt; 0 on some row now that had none at some earlier evaluation, whatever the activation.</summary>
    public float RevivedFraction { get; init; }

    /// <summary>Units with z &gt; 0 on some rows, but on fewer than 1 %, of an activation whose units can die.</summary>
    public float NearDeadFraction { get; init; }

    /// <summary>
    /// Units with z &lt;= 0 on every row, of an activation that still passes a gradient there (leaky_relu, elu, ...); null where
    /// units die, and of the output layer.
    /// </summary>
    public float? NegativeLockedFraction { get; init; }

    /// <summary>Units with z &lt;= 0 on every row, whether they pass a gradient there or not: by this activations compare.</summary>
    public float OffEveryRowFraction => NegativeLockedFraction ?? DeadFraction;

    /// <summary>
    /// Of the units that were off on every row at this evaluation or an earlier one, the share that is on again; null if there was none.
    /// </summary>
    public float? CameBackFraction => RevivedFraction + OffEveryRowFraction is > 0 and var ever ? RevivedFraction / ever : null;

    /// <summary>
    /// Units whose mean |h| is at most 0.025 of the layer's mean (Sokar et al. 2023, The dormant neuron phenomenon, definition 3.1).
    /// </summary>
    public float DormantFraction { get; init; }

    /// <summary>The same at 0: units that are 0 on every row.</summary>
    public float DormantFractionAt0 { get; init; }

    /// <summary>The same at 0.1.</summary>
    public float DormantFractionAt10 { get; init; }

    /// <summary>Share of entries where f'(z) is below 5 % of the largest f'.</summary>
    public float Saturation { get; init; }

    /// <summary>Share of entries with |h| above 0.95 of its bound; null where the activation has none.</summary>
    public float? SaturationAbove95 { get; init; }

    /// <summary>The same above 0.99.</summary>
    public float? SaturationAbove99 { get; init; }

    /// <summary>
    /// Units whose entries are saturated (not just off) on more than a share of the rows (<c>rules.saturated_activations.rows</c>);
    /// null without bound.
    /// </summary>
    public float? SaturatedUnitFraction { get; init; }

    /// <summary>Mean of h.</summary>
    public float MeanActivation { get; init; }

    /// <summary>Root mean square of h.</summary>
    public float RmsActivation { get; init; }

    /// <summary>Mean of |h|.</summary>
    public float MeanAbsActivation { get; init; }

    /// <summary>Of h, over all units and rows.</summary>
    public double ActivationVariance => (double)RmsActivation * RmsActivation - (double)MeanActivation * MeanActivation;

    /// <summary>Mean of h over its root mean square; null of a layer that is all 0.</summary>
    public float? Centredness => RmsActivation == 0 ? null : MeanActivation / RmsActivation;

    /// <summary>Mean of |h| over the root mean square of h; null of a layer that is all 0.</summary>
    public float? RelativeL1 => RmsActivation == 0 ? null : MeanAbsActivation / RmsActivation;

    /// <summary>
    /// exp of the entropy of the normalised singular values of the activations (rows x units); null unless asked for,
    /// at the first and last evaluation.
    /// </summary>
    public float? EffectiveRank { get; init; }

    /// <summary>Root mean square over rows and units of dC/dz, C the loss of one row.</summary>
    public float GradientRms { get; init; }

    /// <summary>Root mean square of the layer's weights.</summary>
    public float WeightRms { get; init; }

    /// <summary>norm(dW)/norm(W) of the last step; null before the first.</summary>
    public float? UpdateRatio { get; init; }

    /// <summary>Mean learned slope (prelu only).</summary>
    public float? Slope { get; init; }

    /// <summary>Least learned slope.</summary>
    public float? SlopeMin { get; init; }

    /// <summary>Largest learned slope.</summary>
    public float? SlopeMax { get; init; }

    /// <summary>
    /// How the activations are distributed; before the first step and after the last only, and null where all are 0 or not finite.
    /// </summary>
    public Histogram? Histogram { get; init; }
}

/// <summary>What a layer is, for readers of its points.</summary>
/// <param name="Index">From 0; the output layer is last.</param>
/// <param name="Name"><c>hidden1</c>, <c>hidden2</c>, ... and <c>output</c>.</param>
/// <param name="Units">Number of outputs.</param>
/// <param name="Activation">Canonical name.</param>
/// <param name="Initializer">Canonical name.</param>
public sealed record LayerInfo(int Index, string Name, int Units, string Activation, string Initializer);

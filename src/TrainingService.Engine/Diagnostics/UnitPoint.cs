using System.Text.Json.Serialization;

namespace TrainingService.Engine.Diagnostics;

/// <summary>What a unit is at the last evaluation; the first that holds.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<UnitState>))]
public enum UnitState
{
    /// <summary>None of the others.</summary>
    [JsonStringEnumMemberName("alive")]
    Alive,

    /// <summary>Its outputs are not finite.</summary>
    [JsonStringEnumMemberName("non_finite")]
    NonFinite,

    /// <summary>z &lt;= 0 on every row and was so at every evaluation from step 0 on; without gradient (relu, relu6, ...).</summary>
    [JsonStringEnumMemberName("born_dead")]
    BornDead,

    /// <summary>z &lt;= 0 on every row, without gradient, but was alive once.</summary>
    [JsonStringEnumMemberName("dead")]
    Dead,

    /// <summary>z &lt;= 0 on every row of an activation that still passes a gradient there (leaky_relu, elu, ...).</summary>
    [JsonStringEnumMemberName("negative_locked")]
    NegativeLocked,

    /// <summary>f'(z) below 5 % of the largest f' on more than the rule's share of rows; bounded activations only.</summary>
    [JsonStringEnumMemberName("saturated")]
    Saturated,

    /// <summary>z &gt; 0 on fewer than 1 % of the rows of an activation whose units die.</summary>
    [JsonStringEnumMemberName("near_dead")]
    NearDead,

    /// <summary>Mean |h| at most 0.025 of the layer's mean (Sokar et al. 2023).</summary>
    [JsonStringEnumMemberName("dormant")]
    Dormant,
}

/// <summary>What killed a unit, see <see cref="Death"/>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DeathCause>))]
public enum DeathCause
{
    /// <summary>One batch's gradient made up most of what pushed it down.</summary>
    [JsonStringEnumMemberName("one_oversized_update")]
    OneOversizedUpdate,

    /// <summary>Its bias (or the shift of the norm before it) fell.</summary>
    [JsonStringEnumMemberName("bias_drift")]
    BiasDrift,

    /// <summary>Its weights, or the inputs that they weigh, changed.</summary>
    [JsonStringEnumMemberName("weights")]
    Weights,
}

/// <summary>A unit as the last evaluation found it, and what became of it before.</summary>
/// <param name="Unit">Index in its layer, from 0.</param>
/// <param name="State">At the last evaluation.</param>
/// <param name="Activity">Share of the evaluation rows with z &gt; 0.</param>
/// <param name="MeanAbsActivation">Mean of |h| over the rows.</param>
/// <param name="BornDead">Whether it was dead at step 0.</param>
/// <param name="DiedAtStep">The evaluation that found it dead for the latest time, after one that saw it alive;
/// null if it never died.</param>
/// <param name="RevivedAtStep">The evaluation that found it alive again for the latest time; null if it never was.</param>
/// <param name="Death">The latest death; null if it never died.</param>
public readonly record struct UnitPoint(int Unit, UnitState State, float Activity, float MeanAbsActivation, bool BornDead,
    long? DiedAtStep, long? RevivedAtStep, Death? Death);

/// <summary>
/// What changed between the last evaluation that saw a unit alive and the first that found it dead. With M the largest z over the
/// evaluation rows, b the bias and g_t = dC/db in step t between the two evaluations:
/// <list type="bullet">
/// <item>one oversized update, if one step's max g_t is at least half of the sum of all g_t, and at least 4 times the root
/// mean square of the others;</item>
/// <item>else bias drift, if b's fall is at least half of M's fall;</item>
/// <item>else the weights: the rest of M's fall comes from w x, that is from the unit's weights or from what the
/// layers before it now answer.</item>
/// </list>
/// g_t stands for the unit's whole gradient: that of its weights is the same dC/dz weighed with its inputs.
/// </summary>
/// <param name="Cause">By these rules.</param>
/// <param name="LastActiveStep">The last step since then in which a row of the batch activated it; null if none did.</param>
/// <param name="HighestBefore">M while it was alive, above 0.</param>
/// <param name="HighestAfter">M when it was found dead, at most 0.</param>
/// <param name="BiasChange">Change of b.</param>
/// <param name="LargestStep">The step with the largest g_t; null if none was above 0.</param>
/// <param name="LargestShare">That g_t over the sum of all, above 1 where the others pulled back; null if the sum was not above 0.</param>
public readonly record struct Death(DeathCause Cause, long? LastActiveStep, float HighestBefore, float HighestAfter, float BiasChange,
    long? LargestStep, float? LargestShare);

using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Diagnostics;

/// <summary>Checked diagnostics, see <see cref="DiagnosticsSpec"/>.</summary>
/// <param name="EverySteps">Steps between evaluations.</param>
/// <param name="EvaluationRows">Rows that the layers are measured on, if there are as many.</param>
/// <param name="RowsBetween">Of them, those of the evaluations between the first and the last.</param>
/// <param name="EffectiveRank">Whether the first and the last evaluation measure it.</param>
/// <param name="TryPatches">Whether what findings recommend is tried first.</param>
/// <param name="Rules">Thresholds of the findings.</param>
public sealed record DiagnosticsPlan(int EverySteps, int EvaluationRows, int RowsBetween, bool EffectiveRank, bool TryPatches,
    RulesPlan Rules)
{
    /// <summary>The stored and shown form.</summary>
    public DiagnosticsSpec Spec => new()
    {
        EverySteps = EverySteps,
        EvaluationRows = EvaluationRows,
        RowsBetween = RowsBetween < EvaluationRows ? RowsBetween : null,
        EffectiveRank = EffectiveRank,
        TryPatches = TryPatches,
        Rules = Rules.Spec,
    };

    /// <summary>Checks and fills in the defaults; adds errors and answers null if there were any.</summary>
    /// <param name="spec">As asked for.</param>
    /// <param name="cadence">Steps between evaluations on so many rows, and the rows of these, where the request leaves them open.</param>
    /// <param name="pointer">Its place.</param>
    /// <param name="errors">Where refusals go.</param>
    internal static DiagnosticsPlan? Resolve(DiagnosticsSpec spec, Func<int, (int EverySteps, int Rows)> cadence, string pointer,
        ICollection<SpecError> errors)
    {
        var before = errors.Count;
        var fields = Fields.Check(spec, pointer, errors);
        var rules = RulesPlan.Resolve(spec.Rules, pointer + "/rules", errors);
        if (errors.Count > before || rules is null)
            return null;
        var rows = fields.Of<int>(nameof(spec.EvaluationRows));
        var (every, between) = spec.EverySteps is { } given ? (given, rows) : cadence(rows);
        return new(every, rows, Math.Min(rows, spec.RowsBetween ?? between), fields.Of<bool>(nameof(spec.EffectiveRank)),
            fields.Of<bool>(nameof(spec.TryPatches)), rules);
    }
}

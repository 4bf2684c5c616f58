namespace TrainingService.Host.Sweeps;

/// <summary>What sweeps must know of the studies, which use sweeps: the studies register it.</summary>
/// <param name="Names">All of them, to filter by.</param>
/// <param name="Measuring">Those that measure something beside the trainings.</param>
/// <param name="Measure">
/// Does that for a sweep of such a study and answers it as JSON, for <see cref="Sweep.Measured"/>: always the same for the same
/// study and size. Takes up to minutes.
/// </param>
public sealed record KnownStudies(IReadOnlyList<string> Names,
    IReadOnlyList<string> Measuring, Func<Sweep, CancellationToken, string> Measure)
{
    /// <summary>Whether something is still to be measured before the sweep can end.</summary>
    public bool Owes(Sweep sweep) => sweep is { Measured: null, Study: { } study } && Measuring.Contains(study);
}

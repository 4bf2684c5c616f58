using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Metrics;

/// <summary>A page of a layer's units.</summary>
/// <param name="Layer">Index of the layer.</param>
/// <param name="Name">Its name.</param>
/// <param name="Activation">Its activation.</param>
/// <param name="States">How many units of the whole layer are in which state.</param>
/// <param name="Items">In the order of their index; empty until the run has ended.</param>
/// <param name="NextCursor">For the next page; null at the end.</param>
public sealed record UnitPage(int Layer, string Name, string Activation, IReadOnlyDictionary<string, int> States, IReadOnlyList<Unit> Items,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? NextCursor);

/// <summary>A unit as the last evaluation found it, and what became of it before.</summary>
public sealed record Unit
{
    /// <summary>Index in the layer, from 0.</summary>
    [JsonPropertyName("unit")]
    public required int Index { get; init; }

    /// <summary>
    /// The first that holds: `non_finite` outputs; `born_dead`, `dead` (z &lt;= 0 on every row, without gradient; since step 0, or later);
    /// `negative_locked` (z &lt;= 0 on every row of an activation that still passes a gradient); `saturated` on more than 99 % of the rows;
    /// `near_dead` (z &gt; 0 on fewer than 1 %); `dormant` (mean |h| at most 0.025 of the layer's); `alive`.
    /// </summary>
    public required UnitState State { get; init; }

    /// <summary>Share of the evaluation rows with z &gt; 0.</summary>
    public required float Activity { get; init; }

    /// <summary>Mean of |h| over the evaluation rows.</summary>
    public required float MeanAbsActivation { get; init; }

    /// <summary>Whether it was dead at step 0.</summary>
    public required bool BornDead { get; init; }

    /// <summary>The evaluation that found it dead for the latest time, after one that saw it alive; null if it never died.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required long? DiedAtStep { get; init; }

    /// <summary>The evaluation that found it alive again for the latest time.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required long? RevivedAtStep { get; init; }

    /// <summary>The last step before that death in which a row of the batch activated it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required long? LastActiveStep { get; init; }

    /// <summary>
    /// What killed it. With M the largest z over the evaluation rows and g the gradient by its bias in each step since it was last
    /// seen alive: `one_oversized_update` if one step's g is at least half of the sum of all, and 4 times the others' root mean square;
    /// else `bias_drift` if the bias fell by at least half of M's fall; else `weights`, its own or those before it.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required DeathCause? Cause { get; init; }

    /// <summary>The same in words.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? CauseSentence { get; init; }

    public static Unit Of(UnitPoint point) => new()
    {
        Index = point.Unit,
        State = point.State,
        Activity = point.Activity,
        MeanAbsActivation = point.MeanAbsActivation,
        BornDead = point.BornDead,
        DiedAtStep = point.DiedAtStep,
        RevivedAtStep = point.RevivedAtStep,
        LastActiveStep = point.Death?.LastActiveStep,
        Cause = point.Death?.Cause,
        CauseSentence = point.Death is { } death ? Sentence(death) : null,
    };

    private static string Sentence(Death d)
    {
        var fall = string.Create(CultureInfo.InvariantCulture, $"its largest z fell from {d.HighestBefore:G3} to {d.HighestAfter:G3}");
        return d.Cause switch
        {
            DeathCause.OneOversizedUpdate => string.Create(CultureInfo.InvariantCulture,
                $"The gradient of step {d.LargestStep} was {(d.LargestShare is { } share ? $"{share:0.##} times" : "larger than")} "
                + $"the sum of all since it was last seen alive; {fall}."),
            DeathCause.BiasDrift => string.Create(CultureInfo.InvariantCulture,
                $"Its bias changed by {d.BiasChange:G3} while {fall}."),
            _ => string.Create(CultureInfo.InvariantCulture,
                $"Its bias changed only by {d.BiasChange:G3} while {fall}: "
                + $"its weights, or the outputs of the layers before it, did the rest."),
        };
    }
}

public static class GetUnits
{
    private const string List = "units";

    /// <summary>What became of each unit of a layer</summary>
    /// <remarks>
    /// State, activity and cause of death of every unit, as the last evaluation found it. Stored when the run ends, however it ends;
    /// until then `items` is empty.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <param name="layer">Index of the layer, as `/layers` has it.</param>
    /// <param name="limit">Units on a page; more than 500 gives 500.</param>
    /// <param name="cursor">The nextCursor of the page before.</param>
    /// <response code="200">A page of units.</response>
    public static async Task<Results<Ok<UnitPage>, ProblemHttpResult>> Handle(Guid id, int layer,
        [FromQuery, Range(1, int.MaxValue), DefaultValue(Paging.Standard)] int? limit,
        [FromQuery] string? cursor, HttpContext http, TrainingDbContext db, CancellationToken cancellation)
    {
        var errors = new List<SpecError>();
        var size = Paging.Size(limit, errors);
        var first = Paging.TryRead(cursor, errors, out int index, List) ? index : 0;
        if (errors.Count > 0)
            return Problems.Invalid(errors);
        if (await db.Jobs.Where(j => j.Id == id).Select(j => new { j.FinishedAt, j.Layers })
            .SingleOrDefaultAsync(cancellation) is not { } job)
            return Problems.NotFound($"There is no job {id}.");
        if (job.Layers is null)
            return Problems.NotFound("The job has no layers yet: its training has not begun.");
        if (job.Layers.FirstOrDefault(l => l.Index == layer) is not { } info)
            return Problems.NotFound($"The job has no layer {layer}: its layers are 0 to {job.Layers.Count - 1}.");
        if (job.FinishedAt is null)
            http.Response.Headers.RetryAfter = "1";
        var units =
            await db.Units.Where(u => u.JobId == id && u.Layer == layer).Select(u => u.Units).SingleOrDefaultAsync(cancellation) ?? [];
        Unit[] items = [.. units.Skip(first).Take(size).Select(Unit.Of)];
        var next = first + items.Length;
        var states = units.CountBy(u => u.State).ToDictionary(c => NameOf(c.Key), c => c.Value);
        return TypedResults.Ok(new UnitPage(layer, info.Name, info.Activation,
            states, items, next < units.Count ? Paging.Cursor(next, List) : null));
    }

    private static string NameOf(UnitState state) => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(state.ToString());
}

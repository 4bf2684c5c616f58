using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Models;

/// <summary>What a name shall point to.</summary>
public sealed record ModelNameSpec
{
    /// <summary>A job that has succeeded and kept its net.</summary>
    public required Guid JobId { get; init; }

    /// <summary>For people: why this one; at most 2,000 characters.</summary>
    [Length(1, 2000)]
    public string? Note { get; init; }

    /// <summary>Who says so; at most 200 characters.</summary>
    [Length(1, 200)]
    public string? By { get; init; }

    /// <summary>
    /// Who may ask the model, in all its versions, beside its owner and admins: <c>private</c> or <c>everyone</c> who has a key. Default:
    /// as it was, at first private.
    /// </summary>
    public Visibility? Visibility { get; init; }
}

/// <summary>A name and the job whose net it stands for.</summary>
public sealed record RegisteredModel
{
    /// <summary>The name.</summary>
    public required string Name { get; init; }

    /// <summary>Whose it is; null for nobody's, as where access is open.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Owner { get; init; }

    /// <summary>Who may read and ask it beside its owner and admins.</summary>
    public Visibility Visibility { get; init; }

    /// <summary>Counts from 1; the latest is the one that answers.</summary>
    public required int Version { get; init; }

    /// <summary>Left out once that job was deleted.</summary>
    public Guid? JobId { get; init; }

    /// <summary>Why it was registered.</summary>
    public string? Note { get; init; }

    /// <summary>Who registered it, as they said.</summary>
    public string? By { get; init; }

    /// <summary>When it was registered.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>All versions, the latest first; in a list of models left out.</summary>
    public IReadOnlyList<RegisteredModel>? Versions { get; init; }

    public static RegisteredModel Of(ModelVersion row) => new()
    {
        Name = row.Name,
        Owner = Owned.Named(row.Owner),
        Visibility = row.Visibility,
        Version = row.Version,
        JobId = row.JobId,
        Note = row.Note,
        By = row.CreatedBy,
        CreatedAt = row.CreatedAt,
    };
}

/// <summary>The registry of models: names that people give to jobs' nets.</summary>
public static partial class RegisteredModels
{
    /// <summary>In addresses.</summary>
    public const string Name = @"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\z";

    [GeneratedRegex(Name)]
    public static partial Regex NamePattern();

    public static ProblemHttpResult NotFound(string name) => Problems.NotFound($"There is no model '{Characters.Shorten(name, 100)}'; "
        + "PUT /api/v1/models/{name} with a jobId makes one.");

    /// <summary>The net that a name stands for, or why there is none.</summary>
    public static async Task<(ModelSource? Source, ProblemHttpResult? Problem)> FindAsync(TrainingDbContext db, string name,
        CancellationToken cancellation, ModelCache? cache = null)
    {
        if (cache is not null)
        {
            var models = db.JobModels;
            // Of a net at hand only this is asked: whether the name still stands for it, and whether it is still kept.
            var known = await db.ModelVersions.Where(v => v.Name == name).Nearest().ThenByDescending(v => v.Version)
                .Select(v => new { v.JobId, Sha256 = models.Where(m => m.JobId == v.JobId).Select(m => m.Sha256).FirstOrDefault() })
                .FirstOrDefaultAsync(cancellation);
            if (known is { JobId: { } id, Sha256: { } kept } && cache.Find(id, kept) is { } source)
                return (source, null);
        }
        var latest = await db.ModelVersions.AsNoTracking().Where(v => v.Name == name).Nearest().ThenByDescending(v => v.Version)
            .FirstOrDefaultAsync(cancellation);
        // who may read the model may ask the net that it stands for
        using var all = View.Enter(View.Everything);
        return latest switch
        {
            null => (null, NotFound(name)),
            { JobId: { } job } => await ModelSource.FindAsync(db, job, cancellation),
            _ => (null, Problems.Gone($"The job that version {latest.Version} of '{name}' stood for was deleted.")),
        };
    }
}

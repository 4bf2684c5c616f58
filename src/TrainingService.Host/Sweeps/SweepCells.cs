using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Diagnostics;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Telemetry;

namespace TrainingService.Host.Sweeps;

/// <summary>Which rows of layers are read of each run.</summary>
public enum LayerRows
{
    None,

    /// <summary>Those of the weights that it ended with.</summary>
    Last,

    FirstAndLast,
}

/// <summary>
/// Makes a sweep's cells, and the jobs that they need. A cell that exists is left alone, so that a sweep can be extended.
/// </summary>
public static class SweepCells
{
    /// <summary>
    /// Of a sweep with more cells nobody looks at each curve, and reports read the ends; ten points a layer would be half of all rows that
    /// a short run writes.
    /// </summary>
    private const int CellsWithCurves = 200;

    /// <summary>
    /// Stores the cells that are due and not there yet, in the context's transaction: the trials of what is tuned, and once these have
    /// ended (<paramref name="chosen"/> answers the combination for an arm and a seed), the cells that arms are compared by, each of which
    /// is the trial that was chosen. Answers the new jobs, seed by seed, so that those on the same data follow each other and pairs are
    /// complete early.
    /// </summary>
    public static async Task<IReadOnlyList<Job>> AddDueAsync(TrainingDbContext db, Sweep sweep, IReadOnlyCollection<SweepCell> existing,
        SweepRules rules, TimeProvider clock, Func<int, long, int?> chosen, CancellationToken cancellation)
    {
        // the sweep's own row first
        await db.SaveChangesAsync(cancellation);
        var spec = sweep.Spec;
        var there = existing.ToDictionary(cell => (cell.Arm, cell.Candidate, cell.Seed));
        var due = (
            from seed in spec.Seeds
            from arm in Enumerable.Range(0, spec.Arms.Count)
            where !there.ContainsKey(((short)arm, -1, seed))
            from candidate in spec.Tune is null ? [-1] : Enumerable.Range(0, SweepRules.Combinations(spec.Tune))
            where !there.ContainsKey(((short)arm, (short)candidate, seed))
            select (Arm: arm, Candidate: candidate, Seed: seed)).ToList();
        if (due.Count == 0)
        {
            await db.CopyAsync((
                from seed in spec.Seeds
                from arm in Enumerable.Range(0, spec.Arms.Count)
                where !there.ContainsKey(((short)arm, -1, seed))
                let trial = chosen(arm, seed) is { } candidate ? there[((short)arm, (short)candidate, seed)] : null
                where trial is not null
                select Cell(sweep, arm, -1, seed, trial.JobId, trial.SpecHash)).ToList(), cancellation);
            return [];
        }

        var (jobs, cells) = (new List<Job>(), new List<SweepCell>());
        var byHash = existing.ToLookup(cell => Convert.ToHexString(cell.SpecHash))
            .ToDictionary(same => same.Key, same => same.First().JobId);
        var stored = (await db.JobTemplates.AsNoTracking().Where(template => template.SweepId == sweep.Id).ToListAsync(cancellation))
            .ToDictionary(template => Text(new { template.Spec, template.Request }));
        var before = stored.Count;
        var arms = new Dictionary<(int Arm, int Candidate), (CheckedJob Job, JobTemplate Template, byte[] Hash)>();
        foreach (var cell in due)
        {
            // Nothing but the seed and the name differs between the seeds of an arm.
            if (!arms.TryGetValue((cell.Arm, cell.Candidate), out var arm))
            {
                var job = rules.Job(spec, cell.Arm, cell.Candidate, cell.Seed);
                var told = JobTemplate.Common(job.Spec) with { StoreWeights = null };
                arms[(cell.Arm, cell.Candidate)] = arm =
                    (job, Shared(job, spec.Arms[cell.Arm].Name), SHA256.HashData(Encoding.UTF8.GetBytes(Text(told))));
            }
            var hash = SHA256.HashData([.. arm.Hash, .. BitConverter.GetBytes(cell.Seed)]);
            if (!byHash.TryGetValue(Convert.ToHexString(hash), out var id))
            {
                var name = SweepRules.NameOf(spec.Name, spec.Arms[cell.Arm], cell.Candidate, cell.Seed);
                jobs.Add(CreateJob.NewCell(arm.Job, arm.Template, name, cell.Seed, clock.GetUtcNow(), jobs.Count, sweep));
                byHash[Convert.ToHexString(hash)] = id = jobs[^1].Id;
            }
            cells.Add(Cell(sweep, cell.Arm, cell.Candidate, cell.Seed, id, hash));
        }
        await db.CopyAsync([.. stored.Values.Where(template => template.Number >= before)], cancellation);
        await db.CopyAsync(jobs, cancellation);
        await db.CopyAsync(cells, cancellation);
        return jobs;

        JobTemplate Shared(CheckedJob job, string arm)
        {
            // a sweep compares its arms itself, and a thousand nets that nobody asks for would be kept
            var resolved = JobTemplate.Common(job.Spec) with
            {
                Diagnostics = Measured(job) with { TryPatches = false },
                StoreWeights = job.Request.StoreWeights ?? false,
            };
            var (request, number) = (JobTemplate.Common(job.Request), (short)stored.Count);
            var text = Text(new { Spec = resolved, Request = request });
            return stored.TryGetValue(text, out var same) ? same
                : stored[text] = new()
                {
                    SweepId = sweep.Id,
                    Number = number,
                    Arm = arm,
                    Spec = resolved,
                    Request = request,
                    Traceparent = Traces.Parent ?? stored.Values.FirstOrDefault()?.Traceparent,
                };
        }

        DiagnosticsSpec Measured(CheckedJob job) =>
            job.Request.Diagnostics?.EverySteps is null && existing.Count + due.Count > CellsWithCurves
            ? job.Plan.Diagnostics.Spec with { EverySteps = job.Plan.RareEverySteps, RowsBetween = null } : job.Plan.Diagnostics.Spec;

        static string Text<T>(T value) => JsonSerializer.Serialize(value, Json.Options);
    }

    /// <summary>They would be most of what is read, and nothing is compared by them.</summary>
    private static readonly string WithoutHistograms =
        $"SELECT job_id, step, layer, epoch, NULL::real[] AS histogram, {string.Join(", ", Measures.OfLayers.Where(m => m.IsStored)
            .Select(m => m.Column))} FROM job_layers";

    /// <summary>Of ten classes they would be two thirds of a result; the same holds for them.</summary>
    private const string WithoutClasses = """
        SELECT id, sweep_id, owner, visibility, status, error_code, epoch, step, template_number, layers,
            result - 'confusion' - 'perClass' AS result FROM jobs
        """;

    private static SweepCell Cell(Sweep sweep, int arm, int candidate, long seed, Guid job, byte[] hash) => new()
    {
        SweepId = sweep.Id,
        Arm = (short)arm,
        Candidate = (short)candidate,
        Seed = seed,
        JobId = job,
        SpecHash = hash,
    };

    /// <summary>
    /// What the cells' runs gave, without specs, curves and what is told of each class: a thousand are read in a fraction of a second. A
    /// seed whose trials of an arm all have an outcome has its compared cell, though it may not be stored yet.
    /// </summary>
    /// <param name="db">Where they are.</param>
    /// <param name="sweep">Whose they are.</param>
    /// <param name="cancellation">Of the queries.</param>
    /// <param name="measured">Which rows of layers; of metrics with a better side none needs any.</param>
    public static async Task<IReadOnlyList<CellResult>> ReadAsync(TrainingDbContext db, Sweep sweep, CancellationToken cancellation,
        LayerRows measured = LayerRows.FirstAndLast)
    {
        var (withLayers, withFirst) = (measured != LayerRows.None, measured == LayerRows.FirstAndLast);
        var jobs = await db.Jobs.FromSqlRaw(WithoutClasses).AsNoTracking().Where(job => job.SweepId == sweep.Id)
            .Select(job => new
            {
                job.Id,
                job.Status,
                job.ErrorCode,
                job.Epoch,
                job.Step,
                job.Result,
                job.TemplateNumber,
                IsBuilt = job.Layers != null,
            }).ToDictionaryAsync(job => job.Id, cancellation);
        // Runs that differ by their seeds alone have the same layers: those of one are read.
        var samples = jobs.Values.Where(job => withLayers && job.IsBuilt)
            .GroupBy(job => Kind(job.TemplateNumber, job.Id))
            .ToDictionary(same => same.Key, same => same.First().Id);
        var ids = samples.Values.ToArray();
        var layers = ids.Length == 0 ? [] : await db.Jobs.AsNoTracking().Where(job => ids.Contains(job.Id))
            .ToDictionaryAsync(job => job.Id, job => job.Layers ?? [], cancellation);
        // After early stopping the last measurement stands at the step of the weights that were returned to.
        var ended = jobs.Values.ToDictionary(job => job.Id, job => job.Result?.WeightsStep ?? job.Step);
        var returned = jobs.Values.Where(job => ended[job.Id] != job.Step).Select(job => job.Id).ToArray();
        var steps = returned.Select(id => ended[id]).Distinct().ToArray();
        var ends = !withLayers ? [] : await (from job in db.Jobs
                                             join layer in db.Layers.FromSqlRaw(WithoutHistograms) on job.Id equals layer.JobId
                                             where job.SweepId == sweep.Id && (withFirst && layer.Step == 0 || layer.Step == job.Step
                                                 || returned.Contains(job.Id) && steps.Contains(layer.Step))
                                             select layer).AsNoTracking().ToListAsync(cancellation);
        var first = ends.Where(layer => layer.Step == 0).ToLookup(layer => layer.JobId);
        var last = ends.Where(layer => layer.Step > 0 && layer.Step == ended[layer.JobId]).ToLookup(layer => layer.JobId);
        var cells = await db.SweepCells.AsNoTracking().Where(cell => cell.SweepId == sweep.Id).ToListAsync(cancellation);
        var order = sweep.Spec.Seeds.Index().ToDictionary(seed => seed.Item, seed => seed.Index);
        var results = cells.Select(cell =>
        {
            var job = jobs[cell.JobId];
            return new CellResult(cell.Arm, cell.Candidate, cell.Seed, cell.JobId, job.Status, job.ErrorCode, job.Epoch, job.Result,
                withLayers && job.IsBuilt ? layers[samples[Kind(job.TemplateNumber, job.Id)]] : [],
                [.. first[cell.JobId].OrderBy(layer => layer.Layer)],
                [.. last[cell.JobId].OrderBy(layer => layer.Layer)]);
        }).ToList();
        return [.. results.Concat(Tuning.Settled(sweep.Spec, results)).OrderBy(cell => cell.Arm)
            .ThenBy(cell => order.GetValueOrDefault(cell.Seed))];

        // jobs of earlier versions have a spec of their own
        static (short? Template, Guid Job) Kind(short? template, Guid job) => (template, template is null ? job : default);
    }
}

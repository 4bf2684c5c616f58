using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Data;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;

namespace TrainingService.Host.Models;

/// <summary>Answers a request for predictions by a net.</summary>
public sealed class Predictor(IDbContextFactory<TrainingDbContext> databases, ModelCache cache, DatasetRegistry datasets)
{
    private const int MaxBytes = 16 << 20;

    /// <summary>By name and content; null for one that is gone.</summary>
    private readonly ConcurrentDictionary<string, StoredDataset?> _brought = [];

    public async Task<Results<Ok<PredictionResponse>, ProblemHttpResult>> AnswerAsync(ModelSource source, HttpRequest request,
        CancellationToken cancellation)
    {
        var errors = new List<SpecError>();
        var rows = new InputRows(source.Card, errors, Brought(source));
        IReadOnlyList<double[]>? inputs;
        PredictionSpec spec = new();
        if (request.GetTypedHeaders().ContentType?.MediaType == MediaTypes.Csv)
        {
            inputs = rows.Read(await JsonBody.ReadBytes(request, MaxBytes, cancellation));
        }
        else
        {
            using var document = JsonBody.Parse(await JsonBody.ReadText(request, cancellation, MaxBytes));
            (spec, inputs) = Read(document.RootElement, rows, errors);
        }
        if (errors.Count > 0)
            return Problems.Invalid(errors);
        var answer = inputs is null ? Empty(source) : await AskAsync(source, model => Answer(model, inputs));
        if (spec.Explain is null)
            return TypedResults.Ok(answer);
        // whoever may ask the net may be told what its inputs are worth, whosever its data are
        using var all = View.Enter(View.Everything);
        if (source.FindDataset(datasets).Problem is { } problem)
            return problem;
        var test = datasets.Load(source.Spec.Dataset, source.Spec.Training?.Seed ?? 1).Test;
        if (test is null)
            return Problems.Conflict("The job had no test rows to explain its net on.");
        // A net of its own, so that others need not wait for it.
        using var own = await LoadAsync(source);
        return TypedResults.Ok(answer with { Importance = Permutation.Of(own, test, spec.Seed ?? 1, cancellation) });
    }

    /// <summary>Asks the source's net whatever is to be known of it.</summary>
    public Task<T> AskAsync<T>(ModelSource source, Func<LoadedModel, T> ask) => cache.UseAsync(source, () => LoadAsync(source), ask);

    /// <summary>All fields but the rows, which are many and of any shape, by the rules of requests.</summary>
    private static (PredictionSpec Spec, IReadOnlyList<double[]>? Inputs) Read(JsonElement body, InputRows rows, List<SpecError> errors)
    {
        var rest = body;
        IReadOnlyList<double[]>? inputs = null;
        if (body.ValueKind == JsonValueKind.Object && body.TryGetProperty("inputs", out var given) && given.ValueKind != JsonValueKind.Null)
        {
            if (given.ValueKind != JsonValueKind.Array || given.GetArrayLength() == 0)
                errors.Add(new("/inputs", "must be a list of one row or more, each a list of values or an object by column name"));
            else
                inputs = rows.Read(given);
            rest = JsonSerializer.SerializeToElement(body.EnumerateObject().Where(p => p.Name != "inputs")
                .GroupBy(p => p.Name).ToDictionary(p => p.Key, p => p.First().Value));
        }
        var spec = JsonBody.Read<PredictionSpec>(rest, errors) ?? new();
        Fields.Check(spec, "", errors);
        if (inputs is null && spec.Explain is null && errors.Count == 0)
            errors.Add(new("/inputs", "'inputs' is required, unless 'explain' is given"));
        return (spec, inputs);
    }

    private async Task<LoadedModel> LoadAsync(ModelSource source)
    {
        await using var db = await databases.CreateDbContextAsync();
        return LoadedModel.Of(await source.ReadAsync(db, CancellationToken.None));
    }

    /// <summary>The data set that the net was trained on, if somebody brought it; it is looked for once.</summary>
    private StoredDataset? Brought(ModelSource source)
    {
        if (source.Spec.Dataset.Sha256 is not { } sha256)
            return null;
        using var all = View.Enter(View.Everything);
        return _brought.GetOrAdd($"{source.Spec.Dataset.Name} {sha256}", _ => datasets.Find(source.Spec.Dataset) as StoredDataset);
    }

    private static PredictionResponse Empty(ModelSource source) => new()
    {
        JobId = source.JobId,
        Target = source.Card.Target,
        Kind = source.Meaning,
        Classes = source.Card.Shape.Target is TargetKind.Classes ? source.Card.Shape.ClassNames : null,
    };

    private static PredictionResponse Answer(LoadedModel model, IReadOnlyList<double[]> inputs)
    {
        var (net, names) = (model.Net, model.Card.Shape.Target is TargetKind.Classes ? model.Card.Shape.ClassNames : null);
        var (values, classes) = (new double[inputs.Count * net.Columns], new int[names is null ? 0 : inputs.Count]);
        net.Answer(model.Encode(inputs), values, classes);
        return Empty(model.Source) with
        {
            Outputs = [.. values.Chunk(net.Columns)],
            Labels = names is null ? null : [.. classes.Select(c => c < 0 ? null : names[c])],
        };
    }
}

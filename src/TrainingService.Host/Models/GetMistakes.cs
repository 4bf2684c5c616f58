using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using TrainingService.Engine.Data;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Tables;

namespace TrainingService.Host.Models;

/// <summary>A page of rows that a net got wrong.</summary>
public sealed record MistakePage
{
    /// <summary>The job whose net it is.</summary>
    public required Guid JobId { get; init; }

    /// <summary>test or validation.</summary>
    public required string Split { get; init; }

    /// <summary>Rows of the split.</summary>
    public required int Rows { get; init; }

    /// <summary>Those that the net was asked about: not all where that would take too long.</summary>
    public required int AskedRows { get; init; }

    /// <summary>Rows of these that it got wrong, as far as they fit the request.</summary>
    public required int Wrong { get; init; }

    /// <summary>Whether <c>certainty</c> is a probability, or a score as of a net with the loss mse or huber.</summary>
    public required OutputMeaning Kind { get; init; }

    /// <summary>The column that is predicted.</summary>
    public required string Target { get; init; }

    /// <summary>Names of the features, in the order of each row's.</summary>
    public required IReadOnlyList<string> Columns { get; init; }

    /// <summary>Set if each row is an image.</summary>
    public ImageShape? Image { get; init; }

    /// <summary>What the net was most certain of first.</summary>
    public required IReadOnlyList<Mistake> Items { get; init; }

    /// <summary>For the next page; null at the end.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? NextCursor { get; init; }
}

/// <summary>A row that a net got wrong.</summary>
/// <param name="Row">Its number in the data set, from 0.</param>
/// <param name="Truth">The class that it is of.</param>
/// <param name="Predicted">The class that it was taken for; null where an output is not a number.</param>
/// <param name="Certainty">The net's output for that class.</param>
/// <param name="TruthCertainty">Its output for the true one.</param>
/// <param name="Features">As in the file, before encoding: a number, a category by name, or null where it is missing.</param>
public sealed record Mistake(int Row, string Truth, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Predicted,
    double Certainty, double TruthCertainty, IReadOnlyList<object?> Features);

public static class GetMistakes
{
    private const string List = "mistakes", Test = "test", Validation = "validation";

    /// <summary>Multiply-adds that a request may cost: a second or two of one core.</summary>
    private const double Work = 5e10;

    private const int Together = 512, MostCells = 200_000;

    /// <summary>Rows that a job's net gets wrong</summary>
    /// <remarks>
    /// The rows of its test or validation split, as the job drew them, that its stored net takes for another class, what it was most
    /// certain of first; by true and predicted class they are those of a cell of the confusion matrix. Nothing is trained again.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <param name="split">`test` or `validation`. Default `test`.</param>
    /// <param name="truth">Only rows of this class.</param>
    /// <param name="predicted">Only rows that are taken for this class.</param>
    /// <param name="limit">Rows on a page; more than 500 gives 500, of wide rows fewer.</param>
    /// <param name="cursor">The nextCursor of the page before.</param>
    /// <response code="200">A page of rows.</response>
    /// <response code="409">The job has not succeeded, its net was not kept, or its rows are not known any more.</response>
    public static async Task<Results<Ok<MistakePage>, ProblemHttpResult>> Handle(Guid id, [FromQuery, DefaultValue(Test)] string? split,
        [FromQuery] string? truth, [FromQuery] string? predicted,
        [FromQuery, Range(1, int.MaxValue), DefaultValue(Paging.Standard)] int? limit, [FromQuery] string? cursor,
        TrainingDbContext db, Predictor predictor, ModelCache cache, DatasetRegistry datasets, RowCache memory,
        CancellationToken cancellation)
    {
        var errors = new List<SpecError>();
        var size = Paging.Size(limit, errors);
        var first = Paging.TryRead(cursor, errors, out int index, List) ? index : 0;
        if (split is not (null or Test or Validation))
            errors.Add(new("/split", $"must be '{Test}' or '{Validation}', not '{Characters.Shorten(split, 100)}'"));
        if (errors.Count > 0)
            return Problems.Invalid(errors);
        var (source, problem) = await ModelSource.FindAsync(db, id, cancellation, cache);
        if (source is null)
            return problem ?? Problems.NotFound($"There is no job {id}.");
        if (source.Card.Shape.Target is not TargetKind.Classes)
            return Problems.Conflict($"The job predicts a number, '{source.Card.Target}': it gets no row right or wrong.");
        var (dataset, obstacle) = source.FindDataset(datasets);
        if (dataset is null)
            return obstacle ?? Problems.Conflict("Its rows are gone.");
        var classes = dataset.Card.Classes;
        var (truths, predictions) = (Class(classes, truth, "/truth", errors), Class(classes, predicted, "/predicted", errors));
        if (errors.Count > 0)
            return Problems.Invalid(errors);

        var key = (source.JobId, source.Sha256, split ?? Test, List);
        if (memory.Find<Answers>(key) is not { } answers)
        {
            var (seed, isTest) = (source.Spec.Training?.Seed ?? 1, split is not Validation);
            var data = datasets.Load(source.Spec.Dataset, seed);
            if ((isTest ? data.Test : data.Validation) is not { } rows)
                return Problems.Conflict($"The job had no {split ?? Test} rows.");
            var numbers = datasets.Rows(source.Spec.Dataset, seed);
            answers = await predictor.AskAsync(source,
                model => Ask(model, rows, isTest ? numbers.Test : numbers.Validation, cancellation));
            answers = memory.GetOrAdd(key, Answers.BytesOf(answers.Wrong.Count), () => answers, dataset.RowsKey);
        }
        Wrong[] fitting = [.. answers.Wrong.Where(row => (truths is null || row.Truth == truths)
            && (predictions is null || row.Predicted == predictions))];
        var table = dataset.Read();
        Mistake[] items = [.. fitting.Skip(first).Take(Math.Min(size, Math.Max(1, MostCells / dataset.Columns.Count)))
            .Select(row => new Mistake(row.Row, classes[row.Truth], row.Predicted < 0 ? null : classes[row.Predicted], row.Certainty,
                row.TruthCertainty, PreviewDataset.Features(dataset, table, row.Row)))];
        var next = first + items.Length;
        return TypedResults.Ok(new MistakePage
        {
            JobId = id,
            Split = split ?? Test,
            Rows = answers.Of,
            AskedRows = answers.Rows,
            Wrong = fitting.Length,
            Kind = source.Meaning,
            Target = dataset.Card.Target,
            Columns = [.. dataset.Columns.Select(column => column.Name)],
            Image = dataset.Card.Image,
            Items = items,
            NextCursor = next < fitting.Length ? Paging.Cursor(next, List) : null,
        });
    }

    private static int? Class(IReadOnlyList<string> classes, string? name, string pointer, List<SpecError> errors)
    {
        if (name is null)
            return null;
        var found = classes.Index().Where(c => c.Item == name).Select(c => (int?)c.Index).FirstOrDefault();
        if (found is null)
            errors.Add(new(pointer, $"there is no class '{Characters.Shorten(name, 100)}'"
                + (Names.DidYouMean(name, classes) is { Length: > 0 } hint ? hint : $": there are {string.Join(", ", classes.Take(30))}")));
        return found;
    }

    /// <summary>What became of the rows of a split, by its order.</summary>
    private static Answers Ask(LoadedModel model, DataSplit split, int[] numbers, CancellationToken cancellation)
    {
        var (width, columns) = (model.Card.Shape.Features, model.Net.Columns);
        var asked = (int)Math.Clamp(Work / Math.Max(1, model.Source.Result.ParameterCount), Math.Min(Together, split.Rows), split.Rows);
        var wrong = new List<Wrong>();
        for (var first = 0; first < asked; first += Together)
        {
            cancellation.ThrowIfCancellationRequested();
            var count = Math.Min(Together, asked - first);
            var (inputs, values, classes) = (new float[count * width], new double[count * columns], new int[count]);
            split.Features.Read([.. Enumerable.Range(first, count)], inputs);
            model.Net.Answer(inputs, values, classes);
            for (var r = 0; r < count; r++)
            {
                var (truth, taken) = (split.Labels[first + r], classes[r]);
                if (taken != truth)
                    wrong.Add(new(numbers[first + r], truth, taken, taken < 0 ? double.NaN : values[r * columns + taken],
                        values[r * columns + truth]));
            }
        }
        return new(split.Rows, asked, [.. wrong.OrderByDescending(row => row.Certainty).ThenBy(row => row.Row)]);
    }

    private sealed record Answers(int Of, int Rows, IReadOnlyList<Wrong> Wrong)
    {
        public static long BytesOf(int rows) => 100 + 32L * rows;
    }

    private readonly record struct Wrong(int Row, int Truth, int Predicted, double Certainty, double TruthCertainty);
}

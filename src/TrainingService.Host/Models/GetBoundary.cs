using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using TrainingService.Engine.Data;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;

namespace TrainingService.Host.Models;

/// <summary>What a net says all over the plane of two features.</summary>
public sealed record Boundary
{
    /// <summary>The job whose net it is.</summary>
    public required Guid JobId { get; init; }

    /// <summary>The column that is predicted.</summary>
    public required string Target { get; init; }

    /// <summary>Whether <c>certainty</c> is a probability, or a score as of a net with the loss mse or huber.</summary>
    public required OutputMeaning Kind { get; init; }

    /// <summary>Names of the classes; left out for a number target.</summary>
    public IReadOnlyList<string>? Classes { get; init; }

    /// <summary>Across.</summary>
    public required BoundaryAxis X { get; init; }

    /// <summary>Upwards.</summary>
    public required BoundaryAxis Y { get; init; }

    /// <summary>Cells in each direction; the net was asked in the middle of each.</summary>
    public required int Resolution { get; init; }

    /// <summary>Of the training, after which the net was asked: of a run that goes on its newest checkpoint's, else the end's.</summary>
    public required long Step { get; init; }

    /// <summary>
    /// Of each cell, row by row from the least y, the class that it is taken for, from 0; -1 where an output is not a number.
    /// </summary>
    public IReadOnlyList<int>? Labels { get; init; }

    /// <summary>Of each cell, the net's output for that class, to three decimals.</summary>
    public IReadOnlyList<double>? Certainty { get; init; }

    /// <summary>Of each cell, for a number target, what is predicted.</summary>
    public IReadOnlyList<double>? Values { get; init; }

    /// <summary>
    /// The same at moments of the training, if <c>frames</c> asks for it: before the first step first, the net as it is kept last.
    /// </summary>
    public IReadOnlyList<BoundaryFrame>? Frames { get; init; }

    /// <summary>The other features, and where they were held.</summary>
    public required IReadOnlyList<HeldFeature> Held { get; init; }

    /// <summary>Some of the job's rows, as many of either split as its share is.</summary>
    public required IReadOnlyList<BoundaryPoint> Points { get; init; }
}

/// <summary>What the net said at a moment of its training; the fields of the cells as of the plane itself.</summary>
/// <param name="Step">The step after which it did; 0 before the first.</param>
/// <param name="Epoch">The same in epochs.</param>
/// <param name="Labels">Of each cell, the class.</param>
/// <param name="Certainty">Of each cell, the output for that class.</param>
/// <param name="Values">Of each cell, for a number target, what is predicted.</param>
public sealed record BoundaryFrame(long Step, double Epoch, IReadOnlyList<int>? Labels, IReadOnlyList<double>? Certainty,
    IReadOnlyList<double>? Values);

/// <summary>A feature of the plane.</summary>
/// <param name="Feature">The column.</param>
/// <param name="Low">Where it begins: a little below the least value.</param>
/// <param name="High">Where it ends: a little above the largest.</param>
public sealed record BoundaryAxis(string Feature, double Low, double High);

/// <summary>A feature that is the same all over the plane.</summary>
/// <param name="Feature">The column.</param>
/// <param name="Value">The median of a number, the commonest category: of the training rows.</param>
public sealed record HeldFeature(string Feature, object? Value);

/// <summary>A row of the data.</summary>
/// <param name="X">Its value across.</param>
/// <param name="Y">Its value upwards.</param>
/// <param name="Label">The class that it is of, from 0; left out for a number target.</param>
/// <param name="Value">The target's number; left out for classes.</param>
/// <param name="IsTest">Whether it is a test row, which training did not see.</param>
public sealed record BoundaryPoint(double X, double Y, int? Label, double? Value, bool IsTest);

public static class GetBoundary
{
    private const int Standard = 64, Least = 8, Most = 128, LeastFrames = 2, MostFrames = 24, MostPoints = 600, MostLookedAt = 10_000;

    /// <summary>Multiply-adds that a request may cost: a fraction of a second of one core.</summary>
    private const double Work = 1e10;

    /// <summary>A net's decision boundary</summary>
    /// <remarks>
    /// What a job's stored net says on a grid over two features that are numbers, with some of the job's rows to draw over it; while the
    /// job goes on, the net of its newest checkpoint. All other features are held: numbers at their median, categories at the commonest,
    /// both of the training rows. Of a large net the grid is coarser. With <c>frames</c> the net is trained once more, to the same bits,
    /// and asked on its way; of runs of some seconds at most.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <param name="x">The feature across. Default: the first that is a number.</param>
    /// <param name="y">The feature upwards. Default: the next that is a number.</param>
    /// <param name="resolution">Cells in each direction, from 8 to 128. Default 64.</param>
    /// <param name="frames">
    /// Moments of the training to tell the same of, from 2 to 24, the denser the earlier, since a net changes most at first. Default: none.
    /// </param>
    /// <response code="200">The grid.</response>
    /// <response code="409">
    /// There is no net: the job has neither succeeded nor a checkpoint, or it was not kept; or its data have no two features that are
    /// numbers; with <c>frames</c>, its run took too long to be repeated, or would not be the same.
    /// </response>
    public static async Task<Results<Ok<Boundary>, ProblemHttpResult>> Handle(Guid id, [FromQuery] string? x, [FromQuery] string? y,
        [FromQuery, Range(Least, Most), DefaultValue(Standard)] int? resolution, [FromQuery, Range(LeastFrames, MostFrames)] int? frames,
        TrainingDbContext db, Predictor predictor, ModelCache cache, DatasetRegistry datasets, CancellationToken cancellation)
    {
        var errors = new List<SpecError>();
        if (resolution is < Least or > Most)
            errors.Add(new("/resolution", $"must be from {Least} to {Most}, not {resolution}"));
        if (frames is < LeastFrames or > MostFrames)
            errors.Add(new("/frames", $"must be from {LeastFrames} to {MostFrames}, not {frames}"));
        if (errors.Count > 0)
            return Problems.Invalid(errors);
        var (source, problem) = await ModelSource.FindAsync(db, id, cancellation, cache);
        using var onItsWay = problem?.StatusCode == StatusCodes.Status409Conflict && frames is null
            ? await CheckpointedNet.FindAsync(db, datasets, id, cancellation) : null;
        source ??= onItsWay?.Source;
        if (source is null)
            return problem ?? Problems.NotFound($"There is no job {id}.");
        var (dataset, obstacle) = source.FindDataset(datasets);
        if (dataset is null)
            return obstacle ?? Problems.Conflict("Its rows are gone.");
        if (dataset.Card.Image is not null)
            return Problems.Conflict($"The rows of '{dataset.Name}' are images, of which no two pixels tell anything.");
        int[] numbers = [.. Enumerable.Range(0, dataset.Columns.Count).Where(c => dataset.Columns[c].Categories is null)];
        if (numbers.Length < 2)
            return Problems.Conflict($"'{dataset.Name}' has not two features that are numbers.");
        var (given, other) = (Feature(dataset, numbers, x, "/x", errors), Feature(dataset, numbers, y, "/y", errors));
        var across = given ?? numbers.First(c => c != other);
        var upwards = other ?? numbers.First(c => c != across);
        if (across == upwards && errors.Count == 0)
            errors.Add(new("/y", $"must be another feature than x, '{dataset.Columns[across].Name}'"));
        if (errors.Count > 0)
            return Problems.Invalid(errors);

        if (frames is not null && Replay.Obstacle(source.Result) is { } tooLong)
            return Problems.Conflict($"{tooLong} Leave out 'frames'.");
        var seed = source.Spec.Training?.Seed ?? 1;
        var rows = datasets.Rows(source.Spec.Dataset, seed);
        var table = dataset.Read();
        var cells = Held(source.Card.Encoding, table, rows.Train);
        var (horizontal, vertical) = (Axis(dataset, across), Axis(dataset, upwards));
        var side = (int)Math.Clamp(Math.Sqrt(Work / Math.Max(1, source.Result.ParameterCount) / (1 + (frames ?? 0))), Least,
            resolution ?? Standard);
        var isClass = source.Card.Shape.Target is TargetKind.Classes;
        var (plan, grid, end) = onItsWay is null ? await predictor.AskAsync(source, Ask) : Ask(onItsWay);
        (RunPlan Plan, float[][] Grid, (int[]? Labels, double[]? Certainty, double[]? Values) End) Ask(LoadedModel model)
        {
            float[][] grid = [.. Enumerable.Range(0, side).Select(line => model.Encode([.. Enumerable.Range(0, side)
                .Select(cell => At(cells, across, Middle(horizontal, cell, side), upwards, Middle(vertical, line, side)))]))];
            return (model.Plan, grid, Cells(model.Net, grid, isClass, cancellation));
        }

        List<BoundaryFrame>? moments = null;
        if (frames is { } count)
        {
            moments = [];
            if (!await Replay.RunAsync(source, plan, datasets.Load(source.Spec.Dataset, seed), count, (step, net) =>
            {
                var (labels, certainty, values) = Cells(net, grid, isClass, cancellation);
                moments.Add(new(step, (double)step * plan.Training.Epochs / plan.Steps, labels, certainty, values));
            }, cancellation))
                return Problems.Conflict("The run can't be repeated to the same bits: it began at a checkpoint of another job, or another "
                    + "version of the engine trained it. Clone it, and ask for the clone's frames.");
        }
        return TypedResults.Ok(new Boundary
        {
            JobId = id,
            Target = source.Card.Target,
            Kind = source.Meaning,
            Classes = isClass ? dataset.Card.Classes : null,
            X = horizontal,
            Y = vertical,
            Resolution = side,
            Step = source.Result.WeightsStep ?? plan.Steps,
            Labels = end.Labels,
            Certainty = end.Certainty,
            Values = end.Values,
            Frames = moments,
            Held = [.. dataset.Columns.Index().Where(c => c.Index != across && c.Index != upwards)
                .Select(c => new HeldFeature(c.Item.Name, c.Item.Categories is { } names ? names[(int)cells[c.Index]] : cells[c.Index]))],
            Points = Points(table, rows.Train, rows.Test, across, upwards),
        });
    }

    private static int? Feature(Dataset dataset, int[] numbers, string? name, string pointer, List<SpecError> errors)
    {
        if (name is null)
            return null;
        var found = numbers.Where(c => dataset.Columns[c].Name == name).Select(c => (int?)c).FirstOrDefault();
        if (found is null)
            errors.Add(new(pointer, dataset.Columns.Any(column => column.Name == name)
                ? $"'{name}' is a category: take a feature that is a number"
                : $"'{dataset.Name}' has no feature '{Characters.Shorten(name, 100)}'"
                    + Names.DidYouMean(name, numbers.Select(c => dataset.Columns[c].Name))));
        return found;
    }

    /// <summary>Of each column what it is held at; of large data by some of the training rows.</summary>
    private static double[] Held(FeatureEncoding encoding, Table table, int[] train)
    {
        var counts = encoding.Columns.Select(column => new int[column.Categories?.Count ?? 0]).ToArray();
        if (counts.Any(count => count.Length > 0))
        {
            var cells = new double[table.Columns];
            foreach (var row in Some(train, MostLookedAt))
            {
                table.ReadRow(row, cells);
                for (var c = 0; c < cells.Length; c++)
                    if (counts[c].Length > 0 && !double.IsNaN(cells[c]))
                        counts[c][(int)cells[c]]++;
            }
        }
        return [.. encoding.Columns.Select((column, c) => column.Categories is null ? column.Median
            : counts[c].Index().MaxBy(count => count.Item).Index)];
    }

    private static BoundaryAxis Axis(Dataset dataset, int column)
    {
        var over = dataset.Statistics[column];
        var (low, high) = (over.Min ?? 0, over.Max ?? 1);
        var margin = high > low ? 0.05 * (high - low) : Math.Max(1, Math.Abs(high) * 0.05);
        return new(dataset.Columns[column].Name, low - margin, high + margin);
    }

    private static double Middle(BoundaryAxis axis, int cell, int cells) => axis.Low + (axis.High - axis.Low) * (cell + 0.5) / cells;

    private static double[] At(double[] held, int across, double x, int upwards, double y)
    {
        var cells = (double[])held.Clone();
        (cells[across], cells[upwards]) = (x, y);
        return cells;
    }

    /// <summary>What a net says in each cell of lines that are encoded.</summary>
    private static (int[]? Labels, double[]? Certainty, double[]? Values) Cells(TrainedNet net, float[][] grid, bool isClass,
        CancellationToken cancellation)
    {
        var (side, columns) = (grid.Length, net.Columns);
        var (labels, told, outputs) = (new int[isClass ? side * side : 0], new double[side * side], new double[side * columns]);
        foreach (var (line, encoded) in grid.Index())
        {
            cancellation.ThrowIfCancellationRequested();
            var classes = isClass ? labels.AsSpan(line * side, side) : [];
            net.Answer(encoded, outputs, classes);
            for (var cell = 0; cell < side; cell++)
                told[line * side + cell] = !isClass ? outputs[cell * columns]
                    : classes[cell] < 0 ? double.NaN : Math.Round(outputs[cell * columns + classes[cell]], 3);
        }
        return isClass ? (labels, told, null) : (null, null, told);
    }

    private static List<BoundaryPoint> Points(Table table, int[] train, int[] test, int across, int upwards)
    {
        var (points, cells) = (new List<BoundaryPoint>(), new double[table.Columns]);
        var ofTest = (int)((long)MostPoints * test.Length / Math.Max(1, train.Length + test.Length));
        foreach (var (rows, isTest) in ((IEnumerable<int>, bool)[])[(Some(train, MostPoints - ofTest), false), (Some(test, ofTest), true)])
            foreach (var row in rows)
            {
                table.ReadRow(row, cells);
                if (double.IsFinite(cells[across]) && double.IsFinite(cells[upwards]))
                    points.Add(new(cells[across], cells[upwards], table.Labels.Length > 0 ? table.Labels[row] : null,
                        table.Values.Length > 0 ? table.Values[row] : null, isTest));
            }
        return points;
    }

    /// <summary>At most so many of them, from the first to the last.</summary>
    private static IEnumerable<int> Some(int[] rows, int most) => rows.Length <= most ? rows
        : Enumerable.Range(0, most).Select(i => rows[(int)((long)i * rows.Length / most)]);
}

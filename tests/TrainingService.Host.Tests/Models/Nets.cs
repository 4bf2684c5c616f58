using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TrainingService.Engine.Data;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using TrainingService.Host.Datasets;
using TrainingService.Host.Jobs;
using TrainingService.Host.Models;

namespace TrainingService.Host.Tests.Models;

/// <summary>Nets that are trained in the test's own process, and asked twice: by the service's code and by ONNX Runtime.</summary>
public static class Nets
{
    public static (StoredNet Model, TrainingResult Result) Train(string dataset, ModelSpec model, TrainingSpec? training = null,
        DatasetRegistry? datasets = null, bool standardize = true)
    {
        datasets ??= Kept.Datasets;
        List<SpecError> errors = [];
        var (found, shape) = datasets.Resolve(new() { Name = dataset, Standardize = standardize }, 1, errors)!.Value;
        var plan = RunPlan.Check(model, training ?? new() { Epochs = 2 }, new(), shape, errors);
        Assert.True(plan is not null, string.Join("; ", errors));
        using var trainer = new Trainer(plan, datasets.Load(found, 1));
        var result = trainer.Run(TestContext.Current.CancellationToken);
        Assert.Null(result.Divergence);
        var spec = new JobSpec
        {
            Dataset = found,
            Model = plan.Model.Spec,
            Training = plan.Training.Spec,
            Diagnostics = plan.Diagnostics.Spec,
        };
        var card = new ModelCard(datasets.Encoding(found, 1), shape, datasets.Find(dataset)!.Card.Target);
        byte[] weights = [.. MemoryMarshal.AsBytes<float>(trainer.Weights())];
        return (StoredNet.Of(new(Guid.NewGuid(), "", spec, result, card), weights), result);
    }

    /// <summary>The raw test rows, as requests have them.</summary>
    public static IReadOnlyList<double[]> TestRows(string dataset, DatasetRegistry? datasets = null) =>
        TestRows((datasets ?? Kept.Datasets).Find(dataset) ?? throw new ArgumentException(dataset));

    public static IReadOnlyList<double[]> TestRows(Dataset dataset)
    {
        var table = dataset.Read();
        return [.. dataset.Split().Test.Select(row =>
        {
            var cells = new double[table.Columns];
            table.ReadRow(row, cells);
            return cells;
        })];
    }

    public static (double[] Values, string[] Labels) Ask(StoredNet net, IReadOnlyList<double[]> rows)
    {
        using var model = LoadedModel.Of(net);
        var names = model.Card.Shape.ClassNames ?? [];
        var (values, classes) = (new double[rows.Count * model.Net.Columns], new int[names.Count == 0 ? 0 : rows.Count]);
        model.Net.Answer(model.Encode(rows), values, classes);
        return (values, [.. classes.Select(c => names[c])]);
    }

    public static (double[] Values, string[] Labels) AskOnnx(StoredNet model, IReadOnlyList<double[]> rows) =>
        AskOnnx(OnnxModel.Of(model), [.. model.Card.Encoding.Columns.Select(column => new Column(column.Name, column.Categories))], rows);

    public static (double[] Values, string[] Labels) AskOnnx(byte[] net, IReadOnlyList<Column> columns, IReadOnlyList<double[]> rows)
    {
        using var session = new InferenceSession(net);
        using var answers = session.Run([.. session.InputMetadata.Select(input => Input(input.Key, input.Value, columns, rows))]);
        var values = answers.Single(a => a.Name is "probabilities" or "scores" or "prediction").AsEnumerable<float>();
        return ([.. values.Select(v => (double)v)], [.. answers.FirstOrDefault(a => a.Name == "label")?.AsEnumerable<string>() ?? []]);
    }

    /// <summary>That rows were answered as the job found when it tested its net on them.</summary>
    public static void MustBeAsTested(TrainingResult result, Dataset dataset, double[] values, string[] labels)
    {
        var (table, test) = (dataset.Read(), dataset.Split().Test);
        if (dataset.TargetKind is TargetKind.Number)
        {
            var squares = test.Select((row, r) => (table.Values[row] - values[r]) * (table.Values[row] - values[r])).Average();
            Assert.Equal(1, squares / result.TestLoss.GetValueOrDefault(), 1e-5);
            Assert.Equal(1, Math.Sqrt(squares) / result.TestRmse.GetValueOrDefault(), 1e-5);
            return;
        }
        var classes = dataset.Card.Classes;
        var confusion = classes.Select(_ => new int[classes.Count]).ToArray();
        foreach (var (row, label) in test.Zip(labels))
            confusion[table.Labels[row]][classes.Index().First(c => c.Item == label).Index]++;
        Assert.Equal(result.TestAccuracy, (float)((double)classes.Select((_, c) => confusion[c][c]).Sum() / test.Length));
        Assert.Equal(result.Confusion, confusion);
    }

    private static NamedOnnxValue Input(string name, NodeMetadata metadata, IReadOnlyList<Column> columns, IReadOnlyList<double[]> rows)
    {
        var place = name == "features" ? -1 : columns.Index().First(c => c.Item.Name == name).Index;
        double[] cells = place < 0 ? [.. rows.SelectMany(row => row)] : [.. rows.Select(row => row[place])];
        int[] shape = [rows.Count, place < 0 ? columns.Count : 1];
        Assert.Equal([-1, shape[1]], metadata.Dimensions);
        if (place >= 0 && columns[place].Categories is { } categories)
            return NamedOnnxValue.CreateFromTensor(name, new DenseTensor<string>(
                cells.Select(cell => double.IsNaN(cell) ? "" : categories[(int)cell]).ToArray(), shape));
        return metadata.ElementType == typeof(double) ? NamedOnnxValue.CreateFromTensor(name, new DenseTensor<double>(cells, shape))
            : NamedOnnxValue.CreateFromTensor(name, new DenseTensor<float>(cells.Select(cell => (float)cell).ToArray(), shape));
    }
}

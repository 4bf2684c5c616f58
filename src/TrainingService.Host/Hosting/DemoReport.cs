using System.Globalization;
using Spectre.Console;

namespace TrainingService.Host.Hosting;

/// <summary>What the demo reads of a job: as a client, it shares no types with the service.</summary>
public sealed record DemoJob(Guid Id, string Status, DemoProgress? Progress, DemoResult? Result, DemoError? Error);

public sealed record DemoProgress(int Epoch, int Epochs, double Fraction);

public sealed record DemoError(string Code, string Message);

public sealed record DemoResult(double? TrainLoss, double? TrainAccuracy, double? ValidationLoss, double? ValidationAccuracy,
    double? TestLoss, double? TestAccuracy, double? TestRmse, int BestEpoch, double Seconds, double SamplesPerSecond, long ParameterCount);

/// <summary>The answer of <c>/jobs/{id}/layers</c>.</summary>
public sealed record DemoLayers(IReadOnlyList<DemoLayer> Layers);

/// <summary>Points of a series are [step, epoch, value].</summary>
public sealed record DemoLayer(string Name, int Units, string Activation, IReadOnlyDictionary<string, double?[][]> Series)
{
    public double? Last(string series) => Series.GetValueOrDefault(series)?.LastOrDefault()?[2];
}

/// <summary>The demo's tables.</summary>
public static class DemoReport
{
    public static void Write(IAnsiConsole console, DemoResult result, IReadOnlyList<DemoLayer> layers)
    {
        var results = Table("Result", "", "loss", "accuracy");
        results.AddRow("train", Number(result.TrainLoss), Percent(result.TrainAccuracy));
        results.AddRow("validation", Number(result.ValidationLoss), Percent(result.ValidationAccuracy));
        results.AddRow("test", Number(result.TestLoss), Percent(result.TestAccuracy));
        console.Write(results);
        console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{result.ParameterCount:N0} parameters, {result.Seconds:0.00} s, {result.SamplesPerSecond:N0} rows/s, "
            + $"best epoch {result.BestEpoch}"));
        console.WriteLine();

        var states = Table("Layers after the last step", "layer", "activation", "units", "sparsity", "off rate", "dead", "born", "died");
        foreach (var layer in layers)
        {
            states.AddRow(Markup.Escape(layer.Name), Markup.Escape(layer.Activation), layer.Units.ToString(CultureInfo.InvariantCulture),
                Percent(layer.Last("sparsity")), Percent(layer.Last("offRate")), Units(layer, "deadFraction"),
                Units(layer, "bornDeadFraction"), Units(layer, "diedFraction"));
        }
        console.Write(states);
        console.WriteLine("Sparsity: outputs that are exactly 0. Off rate: inputs of the activation <= 0.");
        console.WriteLine("Dead: units that are off on every row and pass no gradient there; born so, or died since.");
    }

    private static Table Table(string title, params string[] columns)
    {
        var table = new Table().Title(title);
        foreach (var name in columns)
            table.AddColumn(
                new TableColumn(name) { NoWrap = true, Alignment = name is "" or "layer" or "activation" ? Justify.Left : Justify.Right });
        return table;
    }

    private static string Number(double? value) => value?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "-";

    private static string Percent(double? value) => value?.ToString("0.0 %", CultureInfo.InvariantCulture) ?? "-";

    private static string Units(DemoLayer layer, string fraction) =>
        (layer.Last(fraction) * layer.Units)?.ToString("0", CultureInfo.InvariantCulture) ?? "-";
}

using TrainingService.Engine.Data;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Prediction;
using TrainingService.Engine.Randomness;

namespace TrainingService.Engine.Training;

/// <summary>What ranges and the probability of death come from.</summary>
public enum PreflightBasis
{
    /// <summary>Mean-field theory alone.</summary>
    Theory,

    /// <summary>Draws of the net itself, on the job's rows.</summary>
    Draws,
}

/// <summary>
/// What is to be expected of a network before it is trained, on the rows that its layers will be measured on: to be laid beside the
/// measurement at step 0. Numbers without a range are mean-field theory's, which explains them: layers are taken to be so wide that sums
/// over their inputs are normal; then only variances travel through the net (Poole et al. 2016, Exponential expressivity in deep neural
/// networks through transient chaos; Schoenholz et al. 2017, Deep information propagation; Glorot &amp; Bengio 2010; He et al. 2015).
/// Ranges,
/// medians and the probability of death are those of draws of the net itself, where these are not too expensive: <c>basis</c> says so.
/// </summary>
/// <param name="Layers">The dense layers, from the input on; the output layer is last.</param>
/// <param name="GradientFlow">
/// By theory, log10 of norm(dC/dz_1) / norm(dC/dz_L) over the first and the last hidden layer; square nets of rectifiers: -0.1505 (L - 1)
/// with Xavier, 0 with Kaiming. Null where no gradient arrives, or where it can't be predicted: the layers' notes say why.
/// </param>
/// <param name="GradientFlowRange">Where 95 % of all draws of weights of this width are expected, the job's own among them; by theory at
/// most
/// that far. Null where nothing is known.</param>
/// <param name="TrainingGradientFlow">By theory, the same while training, where dropout drops and batch_norm takes the
/// statistics of its batch.</param>
/// <param name="Basis">`draws`: ranges and medians are those of `draws` nets, drawn with seeds that are no job's and measured forwards and
/// backwards on the job's rows. `theory`: the net is too large for that, or a cell of a sweep.</param>
/// <param name="Draws">Nets behind the ranges; 0 by theory.</param>
/// <param name="GradientFlowMedian">Half of the draws are below; null by theory. Far from <paramref name="GradientFlow"/> where the net
/// is too
/// narrow or too deep for theory.</param>
/// <param name="BornDeadDraws">Nets behind the layers' bornDeadProbability; null where that is a bound.</param>
/// <param name="Notes">What theory knows of the pairs of activation, initialiser and dropout that the net has.</param>
public sealed record Preflight(IReadOnlyList<PreflightLayer> Layers, float? GradientFlow,
    IReadOnlyList<float>? GradientFlowRange, float? TrainingGradientFlow, PreflightBasis Basis = PreflightBasis.Theory, int Draws = 0,
    float? GradientFlowMedian = null, int? BornDeadDraws = null, IReadOnlyList<PreflightNote>? Notes = null)
{
    private const int Bands = 8, ClassesPerBand = 4;

    /// <summary>Of the draws: no job's.</summary>
    private const long FirstSeed = 0x5EED_F0E5_0DD5_0000, FirstSeedOfDeaths = 0x5EED_DEAD_0DD5_0000;

    /// <summary>Above this, a bound says little, and draws can tell.</summary>
    private const double TellingBound = 1e-3;

    /// <summary>97.5 % of a normal distribution lie below this.</summary>
    private const double Quantile = 1.959964;

    /// <summary>Predicts what a run of this plan on this data will measure at step 0, by draws where they are not too expensive.</summary>
    /// <param name="plan">What would be trained.</param>
    /// <param name="data">Of the shape that the plan was checked against.</param>
    /// <param name="cancellation">Looked at once a row and once a layer.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Preflight Predict(RunPlan plan, TrainingData data, CancellationToken cancellation = default)
    {
        data = plan.Standardized(data);
        var theory = Theory(plan, data, out var sorted, cancellation);
        var draws = new PreflightDraws(plan, data, sorted);
        return draws.AreDear ? theory : theory.With(draws, plan.Diagnostics.Rules.SaturatedActivations.Rows, cancellation);
    }

    /// <summary>The same by theory alone, within a few milliseconds however large the net is.</summary>
    /// <inheritdoc cref="Predict"/>
    public static Preflight Theory(RunPlan plan, TrainingData data, CancellationToken cancellation = default) =>
        Theory(plan, plan.Standardized(data), out _, cancellation);

    private static Preflight Theory(RunPlan plan, TrainingData data, out int[] sorted, CancellationToken cancellation)
    {
        var rows = Rows(plan, data, cancellation);
        sorted = [.. rows.Select(row => row.Index)];
        var classes = Classes(rows);
        var layers = plan.DenseLayers;
        var walk = new PreflightWalk(layers.Count, cancellation);
        var evaluated = Follow(walk, plan, data, classes, cancellation);
        var trained = plan.TrainsAsItEvaluates ? evaluated
            : Follow(new(layers.Count, cancellation, walk), plan, data, classes, cancellation);
        var (flow, spread) = Flow(evaluated);
        return new(
            [.. layers.Select((layer, i) => Layer(layer, evaluated[i], plan.Diagnostics.Rules.SaturatedActivations.Rows))],
            (float?)flow,
            flow is null ? null : [(float)(flow.Value + spread.Low), (float)(flow.Value + spread.High)], (float?)Flow(trained).Flow)
        {
            Notes = PreflightNote.Of(plan),
        };
    }

    /// <summary>With what draws of the net say in the place of theory's ranges and bounds.</summary>
    private Preflight With(PreflightDraws draws, double saturatedRows, CancellationToken cancellation)
    {
        var nets = draws.Nets;
        var (rms, gradient, flow) = draws.Measure(nets, FirstSeed, cancellation);
        // a bound that is small enough tells more than draws without a death
        (double[] Share, int Nets)? deaths = Layers.Max(layer => layer.DeathIsUnknown ? 1 : layer.BornDeadProbability ?? 0) > TellingBound
            ? draws.CountDeaths(FirstSeedOfDeaths, cancellation) : null;
        var saturated = Layers.Any(layer => layer.Saturation is not null)
            ? draws.CountSaturated(saturatedRows, FirstSeed, cancellation) : null;
        var layers = Layers.Select((layer, i) => layer with
        {
            RmsRange = Range(rms[i]),
            RmsMedian = Median(rms[i]),
            GradientRmsRange = Range(gradient[i]),
            GradientRmsMedian = Median(gradient[i]),
            BornDeadProbability = layer.BornDeadProbability is null && !layer.DeathIsUnknown ? null
                : deaths?.Share[i] ?? layer.BornDeadProbability,
            BornDeadBasis = deaths is not null && (layer.BornDeadProbability is not null || layer.DeathIsUnknown)
                ? BornDeadBasis.Draws : layer.BornDeadBasis,
            Saturation = (float?)saturated?[i]?.Entries ?? layer.Saturation,
            SaturatedUnitFraction = (float?)saturated?[i]?.Units ?? layer.SaturatedUnitFraction,
            Note = Join(layer.Note, OffTheMark(layer.Rms, rms[i])),
        });
        // of each net, so that what both layers share cancels; 0/0 where no gradient arrives at all
        flow = flow is null ? null : flow with { Roots = [.. flow.Roots.Where(ratio => !double.IsNaN(ratio))] };
        var flows = flow?.Roots.Length > 1 ? flow : null;
        return this with
        {
            Layers = [.. layers],
            GradientFlowRange = flows is null ? null : [.. Range(flows).Select(MathF.Log10)],
            GradientFlowMedian = flows is null ? null : MathF.Log10(Median(flows)),
            Basis = PreflightBasis.Draws,
            Draws = nets,
            BornDeadDraws = deaths?.Nets,
        };

        static float[] Range(PreflightSample values) =>
            PreflightRange.Of(values) is var (low, high) ? [(float)low, (float)high] : [];

        static float Median(PreflightSample values) => (float)PreflightRange.Median(values);

        static string? OffTheMark(float? theory, PreflightSample values) =>
            theory is { } value && PreflightRange.Of(values) is var (low, high)
            && (value < low * (1 - Rounding) || value > high * (1 + Rounding))
                ? "theory's value lies outside the range of the draws: the layers are too narrow, or too many, for their sums to be normal"
                : null;

        static string? Join(string? a, string? b) => a is null ? b : b is null ? a : $"{a}; {b}";
    }

    /// <summary>Of theory's numbers where nothing is random.</summary>
    private const double Rounding = 0.001;

    private static List<ObservedPrediction> Follow(PreflightWalk walk, RunPlan plan, TrainingData data, List<RowClass> classes,
        CancellationToken cancellation)
    {
        var output = walk.Forward(plan.Layers, Features(data, classes, cancellation));
        walk.Backward(LossGradient(plan, data, classes, output, cancellation));
        return walk.Observed;
    }

    private static PreflightLayer Layer(LayerInfo info, ObservedPrediction observed, double saturatedRows)
    {
        var (signal, gradient) = (observed.Signal, observed.Gradient);
        var rms = signal.Unknown is null ? Math.Sqrt(signal.MeanSquare) : (double?)null;
        var (low, high) = Range(signal.Spread);
        string?[] notes = [signal.Unknown, gradient.Unknown, observed.DeathUnknown, observed.Approximate];
        return new(info.Index, info.Name, rms is null ? null : (float)signal.Mean.Average(), (float?)rms,
            rms is null ? null : [(float)(rms.Value * Math.Exp(low)), (float)(rms.Value * Math.Exp(high))],
            gradient.Unknown is null && signal.Unknown is null ? (float)Math.Sqrt(gradient.MeanSquare) : null,
            observed.Alive is { } alive ? Math.Clamp(1 - alive, 0, 1) : null,
            notes.All(note => note is null) ? null : string.Join("; ", notes.Where(note => note is not null).Distinct()))
        {
            BornDeadBasis = observed.Alive is null ? null : BornDeadBasis.Bound,
            DeathIsUnknown = observed.Alive is null && observed.DeathCanBeCounted,
            Saturation = (float?)observed.Saturation,
            // entries that are not saturated: a unit that isn't has at least as many of them as the rule allows
            SaturatedUnitFraction = observed.Saturation is { } entries && saturatedRows < 1
                ? (float)Math.Max(0, 1 - (1 - entries) / (1 - saturatedRows)) : null,
        };
    }

    private static (double? Flow, (double Low, double High) Spread) Flow(List<ObservedPrediction> observed)
    {
        var (first, last) = (observed[0], observed[^2]);
        if (first.Gradient.Unknown is not null || last.Gradient.Unknown is not null || observed[^1].Signal.Unknown is not null)
            return (null, default);
        double Norm(ObservedPrediction layer) => Math.Sqrt(layer.Units * layer.Gradient.MeanSquare);
        if (Diagnostics.GradientFlow.OfNorms(Norm(first), Norm(last)) is not { } flow)
            return (null, default);
        // the last hidden layer's own straying is in both
        PreflightSpread near = last.Gradient.Spread, far = first.Gradient.Spread;
        var (low, high) = Range(new(Math.Max(0, far.Variance - near.Variance), far.Shift - near.Shift));
        // rounded, so that 0 is not 3e-14
        return (Math.Round(flow, 6), (low / Math.Log(10), high / Math.Log(10)));
    }

    /// <summary>
    /// Bounds of the logarithm of a root mean square beside its mean-field value: the upper one as if rows strayed apart, which undoes
    /// the shift, the lower one as if together.
    /// </summary>
    private static (double Low, double High) Range(PreflightSpread spread) =>
        ((spread.Shift - Quantile * Math.Sqrt(spread.Variance)) / 2, Quantile * Math.Sqrt(spread.Variance) / 2);

    /// <summary>Rows of nearly equal norm and mean: of a row, these two are all that the first layer's moments depend on.</summary>
    private sealed record RowClass(int[] Rows, double Mean, double Square);

    /// <summary>The evaluation rows in the order of their norms.</summary>
    private static (int Index, double Mean, double Square)[] Rows(RunPlan plan, TrainingData data, CancellationToken cancellation) =>
        [.. Moments(data, plan.PickEvaluationRows(), cancellation).OrderBy(row => row.Square)];

    /// <summary>Them in classes of equally many, give or take one, so that a mean over classes is one over rows.</summary>
    private static List<RowClass> Classes((int Index, double Mean, double Square)[] rows)
    {
        return rows.Length <= Bands * ClassesPerBand
            ? [.. rows.Select(row => new RowClass([row.Index], row.Mean, row.Square))]
            : [.. Enumerable.Range(0, Bands).SelectMany(band => Enumerable.Range(0, ClassesPerBand)
                .Select(part => Class(Part(Part(rows, band, Bands).OrderBy(row => row.Mean), part, ClassesPerBand))))];

        static (int Index, double Mean, double Square)[] Part(
            IEnumerable<(int Index, double Mean, double Square)> sorted, int part, int parts)
        {
            (int Index, double Mean, double Square)[] all = [.. sorted];
            return all[(part * all.Length / parts)..((part + 1) * all.Length / parts)];
        }

        // of about one mean, so that its square keeps its average
        static RowClass Class((int Index, double Mean, double Square)[] rows) => new([.. rows.Select(row => row.Index)],
            Math.CopySign(Math.Sqrt(rows.Average(row => row.Mean * row.Mean)), rows.Average(row => row.Mean)),
            rows.Average(row => row.Square));
    }

    private static IEnumerable<(int Index, double Mean, double Square)> Moments(TrainingData data, int[] rows,
        CancellationToken cancellation)
    {
        var features = new float[data.Shape.Features];
        foreach (var row in rows)
        {
            cancellation.ThrowIfCancellationRequested();
            data.Train.Features.Read([row], features);
            double sum = 0, squares = 0;
            foreach (var value in features)
                (sum, squares) = (sum + value, squares + (double)value * value);
            yield return (row, sum / features.Length, squares / features.Length);
        }
    }

    private static PreflightSignal Features(TrainingData data, List<RowClass> classes, CancellationToken cancellation)
    {
        var features = data.Shape.Features;
        var (sums, inputs) = (new double[features], new float[features]);
        foreach (var row in classes.SelectMany(c => c.Rows))
        {
            cancellation.ThrowIfCancellationRequested();
            data.Train.Features.Read([row], inputs);
            for (var feature = 0; feature < features; feature++)
                sums[feature] += inputs[feature];
        }
        double count = classes.Sum(c => c.Rows.Length);
        var shared = sums.Sum(sum => sum / count * (sum / count)) / features;
        return new(features, [.. classes.Select(c => c.Mean)], [.. classes.Select(c => c.Square)], false, shared, default);
    }

    /// <summary>
    /// The loss's own gradient at outputs drawn as the last layer's are distributed, with the targets of the class's rows.
    /// </summary>
    private static unsafe PreflightGradient LossGradient(RunPlan plan, TrainingData data, List<RowClass> classes, PreflightSignal output,
        CancellationToken cancellation)
    {
        var loss = plan.CreateLoss(data.Train);
        int count = output.Units, samples = Math.Clamp((1 << 19) / count / classes.Count, 2, Math.Max(64, 2048 / classes.Count));
        var numbers = data.Train.Values.Length / Math.Max(1, data.Train.Rows);
        using FloatBuffer outputs = new((long)Layout.Padded(samples) * count), gradients = new((long)Layout.Padded(samples) * count);
        float* z = outputs.All, g = gradients.All;
        var labels = new int[Layout.Padded(samples)];
        var values = new float[samples * numbers];
        double[] square = new double[classes.Count], sumSquare = new double[classes.Count];
        var random = new RandomStream(plan.Training.Seed, StreamPurpose.Preflight, 0);
        for (var c = 0; c < classes.Count; c++)
        {
            var deviation = Math.Sqrt(Math.Max(0, output.Square[c] - output.Mean[c] * output.Mean[c]));
            for (var s = 0; s < samples; s++)
            {
                cancellation.ThrowIfCancellationRequested();
                var row = classes[c].Rows[s % classes[c].Rows.Length];
                for (var unit = 0; unit < count; unit++)
                    z[Layout.Block(unit, s, count)] = (float)(output.Mean[c] + deviation * random.Normals().Item1);
                if (data.Train.Labels.Length > 0)
                    labels[s] = data.Train.Labels[row];
                else
                    data.Train.Values.AsSpan(row * numbers, numbers).CopyTo(values.AsSpan(s * numbers));
            }
            fixed (int* label = labels)
            fixed (float* value = values)
                loss.Sum(z, count, samples, new(label, value), g, 1);
            for (var s = 0; s < samples; s++)
            {
                double sum = 0, squares = 0;
                for (var unit = 0; unit < count; unit++)
                {
                    double slope = g[Layout.Block(unit, s, count)];
                    (sum, squares) = (sum + slope, squares + slope * slope);
                }
                square[c] += squares / count / samples;
                sumSquare[c] += sum * sum / samples;
            }
        }
        return new(square, sumSquare, default);
    }
}

/// <summary>What a probability of being born dead comes from.</summary>
public enum BornDeadBasis
{
    /// <summary>Mean-field theory: at most so many.</summary>
    Bound,

    /// <summary>Draws of the net on the job's rows.</summary>
    Draws,
}

/// <summary>What is predicted of one dense layer with its activation. A null can't be predicted, and the note says why.</summary>
/// <param name="Index">From 0; the output layer is last.</param>
/// <param name="Name"><c>hidden1</c>, <c>hidden2</c>, ... and <c>output</c>.</param>
/// <param name="Mean">By theory, mean of the activation h over units and rows.</param>
/// <param name="Rms">By theory, root mean square of the activation h over units and rows.</param>
/// <param name="RmsRange">Where 95 % of all draws of weights of this width are expected; by theory at most that far. Narrow and deep nets
/// stray far, and more often below.</param>
/// <param name="GradientRms">By theory, root mean square over units and rows of dC/dz, C the loss of one row.</param>
/// <param name="BornDeadProbability">
/// Probability that all units of some layer up to this one are off on every row and get no gradient, so that the net's output does not
/// depend
/// on its input (Lu et al. 2019, Dying ReLU and initialization); 0 for activations that pass a gradient where they are off, however
/// saturated.
/// By draws, or only an upper bound: `bornDeadBasis` says which.
/// </param>
/// <param name="Note">Why something is null, or rough.</param>
/// <param name="RmsMedian">Half of the draws are below; null by theory.</param>
/// <param name="GradientRmsRange">Where 95 % of all draws are expected; null by theory.</param>
/// <param name="GradientRmsMedian">Half of the draws are below; null by theory.</param>
/// <param name="Saturation">Share of entries where the activation is flat, f'(z) below 5 % of its most, and not off: median of draws, or by
/// theory. Null for activations without bound.</param>
/// <param name="SaturatedUnitFraction">Share of units that are so on more than 99 % of the rows (the rule's <c>rows</c>): median of draws;
/// by theory at least as many.</param>
/// <param name="BornDeadBasis">
/// `draws`: the share of `bornDeadDraws` nets whose output is the same on the job's rows. `bound`: at most so many, 1 - prod_k (1 -
/// p_k^N_k),
/// p_k the probability that a unit of layer k is off (a rectifier's: 1/2) and N_k its width: exact for one input row, an upper bound for
/// many,
/// which must all be off (Rister &amp; Rubin 2021, Probabilistic bounds on neuron death in deep rectifier networks). Taken where that is
/// at most
/// 0.001, and where there are no draws.
/// </param>
public sealed record PreflightLayer(int Index, string Name, float? Mean, float? Rms, IReadOnlyList<float>? RmsRange, float? GradientRms,
    double? BornDeadProbability, string? Note, float? RmsMedian = null, IReadOnlyList<float>? GradientRmsRange = null,
    float? GradientRmsMedian = null, BornDeadBasis? BornDeadBasis = null, float? Saturation = null,
    float? SaturatedUnitFraction = null)
{
    /// <summary>Theory has no bound, but draws can be counted.</summary>
    internal bool DeathIsUnknown { get; init; }
}

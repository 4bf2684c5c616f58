using TrainingService.Engine.Activations;
using TrainingService.Engine.Data;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Prediction;

namespace TrainingService.Engine.Training;

/// <summary>
/// Nets drawn as a run would draw its own and measured on its rows as step 0 will be: what a new draw is like. Their seeds are no job's, so
/// that equal models on equal rows get equal answers whatever their seed is.
/// </summary>
internal sealed class PreflightDraws
{
    /// <summary>Nets at least, and at most, that are measured forwards and backwards.</summary>
    private const int LeastNets = 50, MostNets = 200;

    /// <summary>Nets whose saturated units are counted.</summary>
    private const int SaturatedNets = 9;

    /// <summary>Nets at most whose deaths are counted.</summary>
    private const int CountedNets = 1000;

    /// <summary>Where weights are scaled on rows, what these average to is no longer free to stray: all of them.</summary>
    private const int LeastRows = 64, LeastRowsIfScaled = Trainer.ScalingRows, MostRows = 512;

    /// <summary>
    /// In the arithmetic of matrix products, about 5e10 a second: what rows may take beyond the least number, what nets may, what a job's
    /// draws may take (0.4 s), and what counting deaths may.
    /// </summary>
    private const double ForRows = 2e9, ForNets = 4e9, ForAll = 2e10, ForDeaths = 1e9;

    /// <summary>
    /// In the same unit: drawing a number, quickly or in turn; an entry's activation, forwards and back; a layer's call; and, per cube of
    /// its units, making a matrix orthogonal.
    /// </summary>
    private const double Quick = 100, InTurn = 750, Entry = 40, Call = 50_000, Orthogonal = 34;

    private readonly RunPlan _plan;
    private readonly TrainingData _data;
    private readonly LinearPlan[] _linear;
    private readonly int[] _evaluation, _rows;
    private readonly double[] _weights, _others;
    private readonly bool _scaled;

    /// <param name="plan">What would be trained.</param>
    /// <param name="data">Of its shape.</param>
    /// <param name="sorted">The rows that the layers are measured on, in the order of their norms.</param>
    /// <param name="evaluation">The same as a run would pick them; null for a run's own.</param>
    public PreflightDraws(RunPlan plan, TrainingData data, int[] sorted, int[]? evaluation = null)
    {
        (_plan, _data, _evaluation) = (plan, data, evaluation ?? plan.PickEvaluationRows());
        _linear = [.. plan.Layers.SelectMany(l => l.Linear)];
        _scaled = _linear.Any(l => l.Initializer.ScaledOnBatch(_linear.Length));
        var most = (int)Math.Clamp(ForRows / LeastNets / RowOperations, _scaled ? LeastRowsIfScaled : LeastRows, MostRows);
        (_rows, _weights, _others) = Choose(sorted, most);
    }

    /// <summary>Nets that are measured.</summary>
    public int Nets => (int)Math.Clamp(ForNets / NetOperations, LeastNets, MostNets);

    /// <summary>Whether they are too expensive, so that theory must do.</summary>
    public bool AreDear => LeastNets * NetOperations > ForAll;

    private double NetOperations => DrawOperations + _rows.Length * RowOperations;

    private double RowOperations =>
        Layers.RowOperations.Of(_plan.Layers).Evaluation + Entry * _linear.Sum(l => l.Units);

    private double DrawOperations => _linear.Sum(l => Call + l.Parameters * (l.Initializer.IsQuick ? Quick : InTurn)
            + (l.Scratch > 0 ? Orthogonal * l.Inputs * l.Units * Math.Min(l.Inputs, l.Units) : 0))
        + (_scaled ? 3.0 * Trainer.ScalingRows * Layers.RowOperations.Of(_plan.Layers).Forward : 0);

    /// <summary>Root mean squares of h and of dC/dz over units and rows, by layer, and the gradient's flow.</summary>
    /// <param name="nets">How many nets.</param>
    /// <param name="firstSeed">Of the first net.</param>
    /// <param name="cancellation">Looked at as often as in training.</param>
    public (PreflightSample[] Rms, PreflightSample[] Gradient, PreflightSample? Flow) Measure(int nets, long firstSeed,
        CancellationToken cancellation)
    {
        int layers = _linear.Length, rows = _rows.Length;
        double[][] activations = Rows(), gradients = Rows();
        PreflightShares[] rms = Shares(), gradient = Shares();
        var flow = layers < 2 ? null : new PreflightShares(_weights, _others, nets, 1);
        Draw(nets, firstSeed, (network, _) =>
        {
            network.RowSquares(activations, gradients);
            for (var i = 0; i < layers; i++)
            {
                rms[i].Add(activations[i]);
                gradient[i].Add(gradients[i]);
            }
            flow?.Add(gradients[0], gradients[^2]);
        }, cancellation);
        return ([.. rms.Select(s => s.Sample)], [.. gradient.Select(s => s.Sample)], flow?.Sample);

        double[][] Rows() => [.. _linear.Select(_ => new double[rows])];
        PreflightShares[] Shares() => [.. _linear.Select(l => new PreflightShares(_weights, _others, nets, l.Units))];
    }

    /// <summary>
    /// By layer: the share of nets of which this layer or one before it, but none in a residual block, has no unit that is on on any row,
    /// so that the output is the same for all rows (Lu et al. 2019, definition 3.1). Only units that get no gradient when they are off are
    /// ever off for good.
    /// </summary>
    public (double[] Share, int Nets) CountDeaths(long firstSeed, CancellationToken cancellation)
    {
        var nets = (int)Math.Clamp(ForDeaths / (DrawOperations + _rows.Length * RowOperations / 2), Nets, CountedNets);
        bool[] counted = [.. _plan.Layers.SelectMany(l => l.Linear.Select(_ => l is LinearPlan))];
        var dead = new int[_linear.Length];
        Draw(nets, firstSeed, (network, _) =>
        {
            var first = Enumerable.Range(0, dead.Length).FirstOrDefault(
                i => counted[i] && network.Observed[i].Activation?.Function.DiesWhenOff == true
                    && network.IsOff(network.Observed[i]), dead.Length);
            for (var i = first; i < dead.Length; i++)
                dead[i]++;
        }, cancellation);
        return ([.. dead.Select(count => (double)count / nets)], nets);
    }

    /// <summary>Mean losses of the nets, on rows that are picked at random.</summary>
    public double[] Losses(int nets, long firstSeed, CancellationToken cancellation)
    {
        var (losses, squares) = (new double[nets], new double[_linear.Length]);
        Draw(nets, firstSeed, (network, net) => losses[net] = network.AddGradientSquares(squares) / network.LossWeight,
            cancellation, _evaluation[.._rows.Length]);
        return losses;
    }

    /// <summary>
    /// Of each layer whose activation has a bound: the shares of saturated entries and of units that are saturated on more than
    /// <paramref name="share"/> of the rows, medians over the nets; null of others. A unit that is off is not saturated.
    /// </summary>
    public (double Entries, double Units)?[] CountSaturated(double share, long firstSeed, CancellationToken cancellation)
    {
        var counts = _linear.Select(l => new ActivationCounts(l.Units)).ToArray();
        var found = _linear.Select(_ => new List<(double Entries, double Units)>()).ToArray();
        // equal weights: those of the evaluation rows that come first are picked at random
        int[] rows = _evaluation[.._rows.Length];
        Draw(SaturatedNets, firstSeed, (network, _) =>
        {
            foreach (var (i, layer) in network.Observed.Index())
                if (layer.Activation is { Function: { Bound: not null } function })
                {
                    counts[i].Clear();
                    layer.Count(rows.Length, counts[i]);
                    var off = function.DiesWhenOff ? counts[i].Off : 0;
                    found[i].Add(((counts[i].Saturated - off) / ((double)rows.Length * _linear[i].Units),
                        Enumerable.Range(0, _linear[i].Units).Count(n => counts[i].IsSaturated(function, n, rows.Length, share))
                            / (double)_linear[i].Units));
                }
        }, cancellation, rows);
        return [.. found.Select(nets => nets.Count == 0 ? ((double, double)?)null
            : (Median(nets.Select(net => net.Entries)), Median(nets.Select(net => net.Units))))];

        static double Median(IEnumerable<double> values) => values.Order().ElementAt(SaturatedNets / 2);
    }

    private void Draw(int nets, long firstSeed, Action<Network, int> look, CancellationToken cancellation, int[]? rows = null)
    {
        rows ??= _rows;
        using var network = new Network(_plan.Layers, _data.Shape.Features, _plan.CreateLoss(_data.Train), 0,
            _scaled ? Math.Max(_rows.Length, Math.Min(_evaluation.Length, Trainer.ScalingRows)) : _rows.Length, firstSeed,
            cancellation: cancellation);
        for (var net = 0; net < nets; net++)
        {
            network.Redraw(firstSeed + net);
            Trainer.ScaleInitialWeights(network, _data, _evaluation);
            if (_scaled || net == 0)
                network.Load(_data.Train, rows);
            network.Forward();
            look(network, net);
        }
    }

    /// <summary>
    /// Rows with the shares of all that each stands for, and how many others that are: the largest for themselves, others for ever more of
    /// their like, up to the k-th for (k/n)^3 of all. Where small signals vanish, the few largest rows make up the mean square.
    /// </summary>
    private static (int[] Rows, double[] Weights, double[] Others) Choose(int[] sorted, int most)
    {
        var count = Math.Min(sorted.Length, most);
        var (rows, weights, others) = (new int[count], new double[count], new double[count]);
        var from = 0;
        for (var k = 0; k < count; k++)
        {
            var to = Math.Max(from + 1, (int)Math.Round(sorted.Length * Math.Pow((k + 1.0) / count, 3)));
            rows[k] = sorted[^((from + to + 1) / 2)];
            (weights[k], others[k]) = ((double)(to - from) / sorted.Length, to - from - 1);
            from = to;
        }
        return (rows, weights, others);
    }
}

using TrainingService.Engine.Data;
using TrainingService.Engine.Layers;

namespace TrainingService.Engine.Training;

/// <summary>
/// Nets drawn as a run would draw its own and measured on its rows as step 0 will be: what a new draw is like. Their seeds are no job's, so
/// that equal models on equal rows get equal answers whatever their seed is.
/// </summary>
internal sealed class PreflightDraws
{
    /// <summary>Nets that are measured forwards and backwards.</summary>
    public const int Nets = 50;

    /// <summary>Nets at most whose deaths are counted.</summary>
    private const int CountedNets = 1000;

    private const int LeastRows = 64, LeastRowsIfScaled = 128, MostRows = 512;

    /// <summary>
    /// In the arithmetic of matrix products, about 5e10 a second: what rows may take beyond the least number, what a job's draws may take
    /// (0.4 s), and what counting deaths may.
    /// </summary>
    private const double ForRows = 1e9, ForAll = 2e10, ForDeaths = 1e9;

    /// <summary>
    /// In the same unit: drawing a number, quickly or in turn; an entry's activation, forwards and back; a layer's call; and, per cube of
    /// its units, making a matrix orthogonal.
    /// </summary>
    private const double Quick = 100, InTurn = 750, Entry = 40, Call = 50_000, Orthogonal = 34;

    private readonly RunPlan _plan;
    private readonly TrainingData _data;
    private readonly LinearPlan[] _linear;
    private readonly int[] _evaluation, _rows;
    private readonly float[] _weights;
    private readonly bool _scaled;

    /// <param name="plan">What would be trained.</param>
    /// <param name="data">Of its shape.</param>
    /// <param name="sorted">The rows that the layers are measured on, in the order of their norms.</param>
    public PreflightDraws(RunPlan plan, TrainingData data, int[] sorted)
    {
        (_plan, _data, _evaluation) = (plan, data, plan.PickEvaluationRows());
        _linear = [.. plan.Layers.SelectMany(l => l.Linear)];
        _scaled = _linear.Any(l => l.Initializer.ScaledOnBatch(_linear.Length));
        var most = (int)Math.Clamp(ForRows / Nets / RowOperations, _scaled ? LeastRowsIfScaled : LeastRows, MostRows);
        (_rows, _weights) = Choose(sorted, most);
    }

    /// <summary>Units of the linear layers.</summary>
    public int[] Units => [.. _linear.Select(l => l.Units)];

    /// <summary>Whether they are too expensive, so that theory must do.</summary>
    public bool AreDear => Nets * (DrawOperations + _rows.Length * RowOperations) > ForAll;

    private double RowOperations =>
        Layers.RowOperations.Of(_plan.Layers).Evaluation + Entry * _linear.Sum(l => l.Units);

    private double DrawOperations => _linear.Sum(l => Call + l.Parameters * (l.Initializer.IsQuick ? Quick : InTurn)
            + (l.Scratch > 0 ? Orthogonal * l.Inputs * l.Units * Math.Min(l.Inputs, l.Units) : 0))
        + (_scaled ? 3.0 * Trainer.ScalingRows * Layers.RowOperations.Of(_plan.Layers).Forward : 0);

    /// <summary>Root mean squares of h and of dC/dz by layer and net, over units and rows.</summary>
    /// <param name="nets">How many nets.</param>
    /// <param name="firstSeed">Of the first net.</param>
    /// <param name="cancellation">Looked at as often as in training.</param>
    public (double[][] Rms, double[][] Gradient) Measure(int nets, long firstSeed, CancellationToken cancellation)
    {
        double[][] rms = Table(), gradient = Table();
        var squares = new double[_linear.Length];
        Draw(nets, firstSeed, (network, net) =>
        {
            for (var i = 0; i < _linear.Length; i++)
                rms[i][net] = Math.Sqrt(Network.ActivationSquares(network.Observed[i], _weights) / _linear[i].Units);
            Array.Clear(squares);
            network.AddGradientSquares(squares, _weights);
            for (var i = 0; i < _linear.Length; i++)
                gradient[i][net] = Math.Sqrt(squares[i] / _linear[i].Units);
        }, cancellation);
        return (rms, gradient);

        double[][] Table() => [.. _linear.Select(_ => new double[nets])];
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

    private void Draw(int nets, long firstSeed, Action<Network, int> look, CancellationToken cancellation)
    {
        using var network = new Network(_plan.Layers, _data.Shape.Features, _plan.CreateLoss(_data.Train), 0,
            _scaled ? Math.Max(_rows.Length, Math.Min(_evaluation.Length, Trainer.ScalingRows)) : _rows.Length, firstSeed,
            cancellation: cancellation);
        for (var net = 0; net < nets; net++)
        {
            network.Redraw(firstSeed + net);
            Trainer.ScaleInitialWeights(network, _data, _evaluation);
            if (_scaled || net == 0)
                network.Load(_data.Train, _rows);
            network.Forward();
            look(network, net);
        }
    }

    /// <summary>
    /// Rows with the shares of all that each stands for: the largest for themselves, others for ever more of their like, up to the k-th for
    /// (k/n)^3 of all. Where small signals vanish, the few largest rows make up the mean square.
    /// </summary>
    private static (int[] Rows, float[] Weights) Choose(int[] sorted, int most)
    {
        var count = Math.Min(sorted.Length, most);
        var (rows, weights) = (new int[count], new float[count]);
        var from = 0;
        for (var k = 0; k < count; k++)
        {
            var to = Math.Max(from + 1, (int)Math.Round(sorted.Length * Math.Pow((k + 1.0) / count, 3)));
            rows[k] = sorted[^((from + to + 1) / 2)];
            weights[k] = (float)(to - from) / sorted.Length;
            from = to;
        }
        return (rows, weights);
    }
}

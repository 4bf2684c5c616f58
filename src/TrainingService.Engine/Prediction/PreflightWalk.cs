using TrainingService.Engine.Activations;
using TrainingService.Engine.Layers;

namespace TrainingService.Engine.Prediction;

/// <summary>
/// Takes a signal through the layers of a plan, as the network takes a batch. With weights of mean mu and variance v, n inputs x and N outputs z
/// <code>
/// linear       E[z] = mu n E[x] + mu_b              Var[z] = v n E[x^2] + v_b                     dC/dx^2 = mu^2 (sum dC/dz)^2 + v N dC/dz^2
/// activation   E[h^2] = E[f(z)^2], z ~ N            (Poole et al. 2016)                  dC/dz^2 = E[f'(z)^2] dC/dh^2   (Schoenholz et al. 2017)
/// norm         variance 1, per unit over the rows (batch) or per row over the units (layer)       dC/dx^2 = dC/dy^2 / variance
/// residual     E[y^2] = E[x^2] + E[b^2] + 2 E[x] E[b], b and x being independent                  dC/dx^2 = dC/dy^2 + what the branch brings back
/// </code>
/// per unit and per class of rows. Each step leaves behind how a gradient comes back through it.
/// </summary>
/// <param name="layers">Number of linear layers.</param>
/// <param name="cancellation">Looked at once a layer.</param>
/// <param name="evaluated">
/// Null to walk as the layers are evaluated at step 0: no dropout, and batch norm with its running mean 0 and variance 1. That walk makes one as in training:
/// dropout drops, batch norm takes the batch's statistics, and the weights are as the evaluation has scaled them.
/// </param>
internal sealed class PreflightWalk(int layers, CancellationToken cancellation, PreflightWalk? evaluated = null)
{
    private readonly Dictionary<ActivationFunction, PreflightMoments> _moments = evaluated?._moments ?? [];
    private readonly Dictionary<LinearPlan, double> _scaled = evaluated?._scaled ?? new(ReferenceEqualityComparer.Instance);
    private readonly bool _training = evaluated is not null;
    private readonly Stack<Func<PreflightGradient, PreflightGradient>> _back = [];
    private double? _alive = 1;
    private string? _deathUnknown, _approximate;
    private int _nested;
    private bool _normalized;

    /// <summary>What is predicted of each linear layer and its activation, in order.</summary>
    public List<ObservedPrediction> Observed { get; } = [];

    public PreflightSignal Forward(IReadOnlyList<LayerPlan> plans, PreflightSignal signal)
    {
        for (var i = 0; i < plans.Count; i++)
        {
            signal = Step(plans[i], signal);
            if (plans[i] is not LinearPlan linear)
                continue;
            var observed = new ObservedPrediction(linear.Units);
            Observed.Add(observed);
            // an activation belongs to the linear layer in front of it, with nothing but a norm between them
            var activation = i + 1 < plans.Count && plans[i + 1] is NormPlan ? i + 2 : i + 1;
            if (activation < plans.Count && plans[activation] is ActivationPlan)
            {
                if (activation == i + 2)
                    signal = Step(plans[i + 1], signal);
                Observe(observed);
                signal = Step(plans[activation], signal);
                i = activation;
            }
            else
            {
                Observe(observed);
            }
            (observed.Signal, observed.Approximate) = (signal, _approximate);
            (observed.Alive, observed.DeathUnknown) = _nested == 0 ? (_alive, _deathUnknown) : (null, "the straight way of a residual block keeps the net alive");
        }
        return signal;
    }

    public void Backward(PreflightGradient gradient)
    {
        while (_back.TryPop(out var back))
        {
            cancellation.ThrowIfCancellationRequested();
            gradient = back(gradient);
        }
    }

    /// <summary>The gradient that comes by here is the layer's dC/dz.</summary>
    private void Observe(ObservedPrediction observed) => _back.Push(gradient => observed.Gradient = gradient);

    private PreflightSignal Step(LayerPlan plan, PreflightSignal x)
    {
        cancellation.ThrowIfCancellationRequested();
        var y = plan switch
        {
            LinearPlan linear => Linear(linear, x),
            ActivationPlan activation => Activation(activation, x),
            BatchNormPlan norm => BatchNorm(norm, x),
            LayerNormPlan norm => LayerNorm(norm, x),
            DropoutPlan dropout => Dropout(dropout, x),
            ResidualPlan residual => Residual(residual, x),
            _ => throw new ArgumentException($"no prediction for {plan}", nameof(plan)),
        };
        _normalized = plan is LayerNormPlan || (_normalized && plan is not (LinearPlan or ResidualPlan));
        return x.Unknown is null || y.Unknown is not null ? y : y with { Unknown = x.Unknown };
    }

    private PreflightSignal Linear(LinearPlan plan, PreflightSignal x)
    {
        var (mu, v) = plan.Initializer.Moments(plan.Fans);
        var (muBias, vBias) = plan.BiasInitializer.Moments(plan.Fans);
        int n = plan.Inputs, units = plan.Units;
        if (plan.Initializer.ScaledOnBatch(layers))
            v = _scaled.TryGetValue(plan, out var known) ? known : _scaled[plan] = ScaledVariance();
        if (mu != 0)
            _approximate = "approximate from here on, as the weights' mean makes units alike";
        if (plan.Initializer.Name == "rai" || plan.BiasInitializer.Name == "rai")
            (_alive, _deathUnknown) = (null, "not predicted for rai, whose units are off with less than probability 1/2");
        _back.Push(g => new(
            [.. g.Square.Zip(g.SumSquare, (square, sum) => mu * mu * sum + v * units * square)],
            [.. g.Square.Zip(g.SumSquare, (square, sum) => n * (n * mu * mu * sum + v * units * square))], g.Spread)
        { Unknown = g.Unknown });
        var z = Moments(v);
        var share = z.MeanSquare > 0 ? 1 - (muBias * muBias + vBias) / z.MeanSquare : 0;
        return z with { Spread = plan.Initializer.ScaledOnBatch(layers) ? default : x.Spread.Through(share) };

        PreflightSignal Moments(double variance)
        {
            double[] mean = [.. x.Mean.Select(m => mu * n * m + muBias)];
            return new(units, mean, [.. x.Square.Zip(mean, (square, m) => variance * n * square + vBias + m * m)], true,
                mu == 0 ? variance * n * x.Shared + vBias + muBias * muBias : double.NaN, default);
        }

        // what Network.ScaleToUnitVariance does
        double ScaledVariance()
        {
            var variance = v;
            for (var attempt = 0; attempt < 10; attempt++)
            {
                var measured = Moments(variance).Variance;
                if (!(measured > 0) || !double.IsFinite(measured) || Math.Abs(measured - 1) < 0.01)
                    break;
                variance /= measured;
            }
            return variance;
        }
    }

    private PreflightSignal Activation(ActivationPlan plan, PreflightSignal z)
    {
        if (z.Unknown is null && !z.Normal)
            return Stop(z, $"{plan.Function.Name} acts on numbers that are not a dense layer's sums, whose distribution is not known");
        if (!_moments.TryGetValue(plan.Function, out var f))
            _moments[plan.Function] = f = new(plan.Function.Bind());
        NormalMoments[] moments = [.. z.Mean.Zip(z.Square, (mean, square) => f.At(mean, Math.Sqrt(Math.Max(0, square - mean * mean))))];
        // exact for one row; no larger for many, as all rows must agree
        var dead = _normalized ? (z.Units == 1 ? 1 : 0) : Math.Pow(moments.Min(m => m.Flat), z.Units);
        if (_nested == 0)
            _alive *= 1 - dead;

        var (deviation, units) = (Math.Sqrt(z.MeanSquare), z.Units);
        var typical = f.At(0, deviation);
        _back.Push(g => new(
            [.. g.Square.Select((square, row) => moments[row].SlopeSquare * square)],
            [.. g.SumSquare.Select((sum, row) => Math.Max(0,
                moments[row].Slope * moments[row].Slope * (sum - units * g.Square[row]) + units * moments[row].SlopeSquare * g.Square[row]))],
            // the incoming gradient is normal, so that its square has 3 times the mean's square as its own
            g.Spread.Layer(Kappa(3 * typical.SlopeFourth, typical.SlopeSquare), units))
        { Unknown = g.Unknown });
        return new(units, [.. moments.Select(m => m.Value)], [.. moments.Select(m => m.Square)], plan.Function.Name == "identity", Shared(),
            z.Spread.Through(Finite(f.Elasticity(deviation))).Layer(Kappa(typical.Fourth, typical.Square), units));

        static double Kappa(double fourth, double square) => Finite(fourth / (square * square) - 1);

        static double Finite(double value) => double.IsFinite(value) ? value : 0;

        // two rows of a unit are jointly normal with covariance c = Shared: E[f(z) f(z')] = E[E[f(sqrt(c) s + sqrt(q - c) t) | s]^2]
        double Shared()
        {
            if (!_training || double.IsNaN(z.Shared))
                return double.NaN;
            if (z.Shared == 0)
                return moments.Average(m => m.Value) * moments.Average(m => m.Value);
            var own = Math.Sqrt(Math.Max(0, z.MeanSquare - z.Shared));
            double sum = 0, weights = 0;
            for (var s = -3.75; s < 4; s += 0.5)
            {
                var mean = f.At(Math.Sqrt(z.Shared) * s, own).Value;
                (sum, weights) = (sum + Math.Exp(-s * s / 2) * mean * mean, weights + Math.Exp(-s * s / 2));
            }
            return sum / weights;
        }
    }

    private PreflightSignal BatchNorm(NormPlan plan, PreflightSignal x)
    {
        if (x.Unknown is null && _training && double.IsNaN(x.Shared))
            return Stop(x, "batch_norm's statistics are not predicted behind weights with a mean or a distribution that is not known");
        var (shared, variance) = _training ? (x.Shared, x.MeanSquare - x.Shared) : (0, 1);
        double scale = 1 / (variance + plan.Epsilon), norm = x.Square.Average(Math.Sqrt);
        _back.Push(g => g.Times(_ => scale));
        return x with
        {
            Mean = _training ? new double[x.Mean.Length] : [.. x.Mean.Select(m => m * Math.Sqrt(scale))],
            // E[(x - mean over the rows)^2], a row's covariance with that mean being as large as its own norm
            Square = [.. x.Square.Select(q => shared == 0 ? q * scale : Math.Max(0, q - 2 * shared * Math.Sqrt(q) / norm + shared) * scale)],
            Shared = _training ? 0 : double.NaN,
            Spread = _training ? default : x.Spread,
        };
    }

    private static double Variance(PreflightSignal x, int row) => Math.Max(0, x.Square[row] - x.Mean[row] * x.Mean[row]);

    private PreflightSignal LayerNorm(NormPlan plan, PreflightSignal x)
    {
        // the projection takes two directions from the gradient, and leaves it a sum of 0
        var left = Math.Max(0, 1 - 2.0 / plan.Units);
        _back.Push(g => g.Times(row => left / (Variance(x, row) + plan.Epsilon)) with { SumSquare = new double[g.Square.Length] });
        return x with
        {
            Mean = new double[x.Mean.Length],
            Square = [.. x.Square.Select((_, row) => Variance(x, row) / (Variance(x, row) + plan.Epsilon))],
            // every row is divided by a deviation of its own, which is nearly the same
            Shared = (x.Shared - x.Mean.Average() * x.Mean.Average()) / (x.Variance + plan.Epsilon),
            Spread = default,
        };
    }

    private PreflightSignal Dropout(DropoutPlan plan, PreflightSignal x)
    {
        if (!_training || plan.Rate == 0)
            return x;
        var kept = 1 - plan.Rate;
        var (factor, offset, dropped) = plan.Alpha ? DropoutLayer.AlphaConstants(plan.Rate) : ((float)(1 / kept), 0, 0);
        // kept entries become factor x + offset
        double square = kept * factor * factor, mean = kept * factor, shift = kept * offset + plan.Rate * dropped;
        _back.Push(g => g with
        {
            Square = [.. g.Square.Select(s => square * s)],
            SumSquare = [.. g.SumSquare.Zip(g.Square, (sum, s) => mean * mean * (sum - x.Units * s) + x.Units * square * s)],
        });
        return x with
        {
            Mean = [.. x.Mean.Select(m => mean * m + shift)],
            Square = [.. x.Square.Zip(x.Mean, (s, m) => square * s + 2 * mean * offset * m + kept * offset * offset + plan.Rate * dropped * dropped)],
            Normal = false,
            // every row drops by itself, so that only means are shared
            Shared = mean * mean * x.Shared + 2 * mean * shift * x.Mean.Average() + shift * shift,
        };
    }

    private PreflightSignal Residual(ResidualPlan plan, PreflightSignal x)
    {
        PreflightGradient? straight = null;
        _back.Push(g => g + straight!);
        _nested++;
        var b = Forward(plan.Branch, x);
        _nested--;
        _back.Push(g => straight = g);
        var linear = plan.Branch.LastOrDefault(l => l is LinearPlan or ActivationPlan) is LinearPlan;
        return new(plan.Units, [.. x.Mean.Zip(b.Mean, (m, n) => m + n)],
            [.. x.Square.Select((square, row) => square + b.Square[row] + 2 * x.Mean[row] * b.Mean[row])],
            x.Normal && linear, linear ? x.Shared + b.Shared : double.NaN,
            PreflightSpread.OfSum(x.Spread, x.MeanSquare, b.Spread, b.MeanSquare))
        { Unknown = x.Unknown ?? b.Unknown };
    }

    /// <summary>From here on nothing is known, and nothing of what comes back either.</summary>
    private PreflightSignal Stop(PreflightSignal signal, string reason)
    {
        _back.Push(g => g with { Unknown = reason });
        return signal with { Unknown = reason };
    }
}

/// <summary>What the walk finds out about one linear layer and its activation.</summary>
internal sealed class ObservedPrediction(int units)
{
    public int Units => units;

    /// <summary>The activation's output, or the linear layer's where it has none.</summary>
    public PreflightSignal? Signal { get; set; }

    /// <summary>dC/dz.</summary>
    public PreflightGradient? Gradient { get; set; }

    /// <summary>Probability that no layer up to this one is wholly dead.</summary>
    public double? Alive { get; set; }

    public string? DeathUnknown { get; set; }

    /// <summary>Why the numbers are rough; null if they aren't.</summary>
    public string? Approximate { get; set; }
}

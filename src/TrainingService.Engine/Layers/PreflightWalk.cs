using TrainingService.Engine.Activations;
using TrainingService.Engine.Prediction;

namespace TrainingService.Engine.Layers;

/// <summary>
/// Takes a signal through the layers of a plan, as the network takes a batch. With weights of mean mu and
/// variance v, n inputs x and N outputs z
/// <code>
/// linear      E[z] = mu n E[x] + mu_b    Var[z] = v n E[x^2] + v_b                              dC/dx^2 = mu^2 (sum dC/dz)^2 + v N dC/dz^2
/// activation  E[h^2] = E[f(z)^2], z ~ N  (Poole et al. 2016; backwards Schoenholz et al. 2017)  dC/dz^2 = E[f'(z)^2] dC/dh^2
/// norm        variance 1, per unit over the rows (batch) or per row over the units (layer)      dC/dx^2 = dC/dy^2 / variance
/// residual    E[y^2] = E[x^2] + E[b^2] + 2 E[x] E[b], b and x being independent                 dC/dx^2 = dC/dy^2 + the branch's
/// </code>
/// per unit and per class of rows. Each step leaves behind how a gradient comes back through it.
/// </summary>
/// <param name="layers">Number of linear layers.</param>
/// <param name="cancellation">Looked at once a layer.</param>
/// <param name="evaluated">
/// Null to walk as the layers are evaluated at step 0: no dropout, and batch norm with its running mean 0 and variance 1. That walk makes
/// one as in training: dropout drops, batch norm takes the batch's statistics, and the weights are as the evaluation has scaled them.
/// </param>
internal sealed class PreflightWalk(int layers, CancellationToken cancellation, PreflightWalk? evaluated = null)
{
    private readonly Dictionary<LinearPlan, double> _scaled = evaluated?._scaled ?? new(ReferenceEqualityComparer.Instance);
    private readonly Stack<Func<PreflightGradient, PreflightGradient>> _back = [];

    /// <summary>Number of linear layers.</summary>
    public int Layers => layers;

    /// <summary>Whether it goes as in training.</summary>
    public bool Training { get; } = evaluated is not null;

    /// <summary>What is predicted of each linear layer and its activation, in order.</summary>
    public List<ObservedPrediction> Observed { get; } = [];

    /// <summary>Residual blocks that it is in.</summary>
    public int Nested { get; private set; }

    /// <summary>Whether each row was normalised since the last linear layer.</summary>
    public bool Normalized { get; set; }

    /// <summary>Probability that no layer so far is wholly dead; null where it isn't known.</summary>
    public double? Alive { get; set; } = 1;

    /// <summary>Why that isn't known.</summary>
    public string? DeathUnknown { get; set; }

    /// <summary>Why the numbers are rough from here on; null if they aren't.</summary>
    public string? Approximate { get; set; }

    public PreflightSignal Forward(IReadOnlyList<LayerPlan> plans, PreflightSignal signal)
    {
        for (var i = 0; i < plans.Count; i++)
        {
            signal = Step(plans[i], signal);
            if (plans[i] is not LinearPlan linear)
                continue;
            var observed = new ObservedPrediction(linear.Units, signal);
            Observed.Add(observed);
            // an activation belongs to the linear layer in front of it, with nothing but a norm between them
            var activation = i + 1 < plans.Count && plans[i + 1] is NormPlan ? i + 2 : i + 1;
            if (activation < plans.Count && plans[activation] is ActivationPlan)
            {
                if (activation == i + 2)
                    signal = Step(plans[i + 1], signal);
                Observe(observed);
                observed.Saturation = Saturation(((ActivationPlan)plans[activation]).Function, signal);
                signal = Step(plans[activation], signal);
                i = activation;
            }
            else
            {
                Observe(observed);
            }
            (observed.Signal, observed.Approximate) = (signal, Approximate);
            (observed.Alive, observed.DeathUnknown) = Nested == 0
                ? (Alive, DeathUnknown)
                : (null, "the straight way of a residual block keeps the net alive");
            observed.DeathCanBeCounted = Nested == 0;
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

    /// <summary>Leaves behind how a gradient comes back through a step.</summary>
    public void Return(Func<PreflightGradient, PreflightGradient> back) => _back.Push(back);

    /// <summary>Through the branch of a residual block.</summary>
    public PreflightSignal Inside(IReadOnlyList<LayerPlan> branch, PreflightSignal signal)
    {
        Nested++;
        var result = Forward(branch, signal);
        Nested--;
        return result;
    }

    /// <summary>The variance that a layer's weights are scaled to, found out once.</summary>
    public double ScaledVariance(LinearPlan plan, Func<double> find) =>
        _scaled.TryGetValue(plan, out var known) ? known : _scaled[plan] = find();

    /// <summary>From here on nothing is known, and nothing of what comes back either.</summary>
    public PreflightSignal Stop(PreflightSignal signal, string reason)
    {
        Return(g => g with { Unknown = reason });
        return signal with { Unknown = reason };
    }

    /// <summary>Share of entries where a bounded function is flat, those left out where it is off; null without bound.</summary>
    private static double? Saturation(ActivationFunction function, PreflightSignal z)
    {
        var f = PreflightMoments.Of(function);
        return f.Bound is null || z.Unknown is not null ? null : z.Mean.Zip(z.Square, (mean, square) => f.At(mean, Deviation(mean, square)))
            .Average(moments => moments.Saturated - (f.DiesWhenOff ? moments.Off : 0));

        static double Deviation(double mean, double square) => Math.Sqrt(Math.Max(0, square - mean * mean));
    }

    private PreflightSignal Step(LayerPlan plan, PreflightSignal x)
    {
        cancellation.ThrowIfCancellationRequested();
        var y = plan.Predict(this, x);
        return x.Unknown is null || y.Unknown is not null ? y : y with { Unknown = x.Unknown };
    }
}

/// <summary>What the walk finds out about one linear layer and its activation.</summary>
internal sealed class ObservedPrediction(int units, PreflightSignal z)
{
    public int Units => units;

    /// <summary>The activation's output, or the linear layer's where it has none.</summary>
    public PreflightSignal Signal { get; set; } = z;

    /// <summary>Share of saturated entries.</summary>
    public double? Saturation { get; set; }

    /// <summary>dC/dz.</summary>
    public PreflightGradient Gradient { get; set; } = PreflightGradient.None;

    /// <summary>Probability that no layer up to this one is wholly dead.</summary>
    public double? Alive { get; set; }

    public string? DeathUnknown { get; set; }

    /// <summary>Whether a layer that is wholly off ends what the output can know of the input.</summary>
    public bool DeathCanBeCounted { get; set; }

    /// <summary>Why the numbers are rough; null if they aren't.</summary>
    public string? Approximate { get; set; }
}

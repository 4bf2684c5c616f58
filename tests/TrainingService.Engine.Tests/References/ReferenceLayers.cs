using TrainingService.Engine.Tests.Golden;

namespace TrainingService.Engine.Tests.References;

/// <summary>A named block of trainable numbers and the gradient that the last backward pass left.</summary>
public sealed record ReferenceParameter(string Name, double[] Values)
{
    public double[] Gradient { get; } = new double[Values.Length];
}

/// <summary>A layer as its formula says, on rows of doubles. Backward belongs to the Forward before it.</summary>
public abstract class ReferenceLayer
{
    public virtual IEnumerable<ReferenceParameter> Parameters => [];

    /// <summary>Of the loss by z, as the last backward pass found it; dense and activation layers only.</summary>
    public double[][] Gradient { get; protected set; } = [];

    public abstract double[][] Forward(double[][] x, bool training);

    public abstract double[][] Backward(double[][] dy);

    protected static double[][] Map(double[][] rows, Func<int, int, double> entry) =>
        [.. rows.Select((row, r) => row.Select((_, c) => entry(r, c)).ToArray())];
}

/// <summary>y = x W^T + b.</summary>
public sealed class ReferenceDense(string name, int inputs, int outputs, double[] weight, double[] bias) : ReferenceLayer
{
    private readonly ReferenceParameter _weight = new($"{name}.weight", weight);
    private readonly ReferenceParameter _bias = new($"{name}.bias", bias);
    private double[][] _x = [];

    /// <summary>What it answered last.</summary>
    public double[][] Z { get; private set; } = [];

    public override IEnumerable<ReferenceParameter> Parameters => [_weight, _bias];

    public override double[][] Forward(double[][] x, bool training)
    {
        _x = x;
        var y = x.Select(_ => new double[outputs]).ToArray();
        for (var r = 0; r < x.Length; r++)
            for (var o = 0; o < outputs; o++)
            {
                y[r][o] = _bias.Values[o];
                for (var i = 0; i < inputs; i++)
                    y[r][o] += _weight.Values[o * inputs + i] * x[r][i];
            }
        Z = y;
        return y;
    }

    public override double[][] Backward(double[][] dy)
    {
        Gradient = dy;
        var dx = _x.Select(_ => new double[inputs]).ToArray();
        for (var r = 0; r < dy.Length; r++)
            for (var o = 0; o < outputs; o++)
            {
                _bias.Gradient[o] += dy[r][o];
                for (var i = 0; i < inputs; i++)
                {
                    _weight.Gradient[o * inputs + i] += dy[r][o] * _x[r][i];
                    dx[r][i] += dy[r][o] * _weight.Values[o * inputs + i];
                }
            }
        return dx;
    }
}

/// <summary>h = f(z) entry by entry, and the penalty on |h| where there is one.</summary>
public abstract class ReferenceElementwise(double activityL1) : ReferenceLayer
{
    /// <summary>What the layer read last.</summary>
    public double[][] Z { get; private set; } = [];

    /// <summary>What it answered.</summary>
    public double[][] H { get; private set; } = [];

    public double Penalty => activityL1 * H.Sum(row => row.Sum(Math.Abs)) / H.Length;

    public override double[][] Forward(double[][] x, bool training)
    {
        Z = x;
        return H = Map(x, (r, c) => Value(x[r][c], r, c, training));
    }

    public override double[][] Backward(double[][] dy)
    {
        var dh = activityL1 == 0 ? dy : Map(dy, (r, c) => dy[r][c] + activityL1 * Math.Sign(H[r][c]) / H.Length);
        Learn(dh);
        return Gradient = Map(dh, (r, c) => dh[r][c] * Derivative(Z[r][c], r, c));
    }

    protected abstract double Value(double z, int row, int unit, bool training);

    protected abstract double Derivative(double z, int row, int unit);

    protected virtual void Learn(double[][] dh)
    {
    }
}

/// <summary>A function of z alone.</summary>
public sealed class ReferenceActivationLayer(GoldenFunction function, double activityL1) : ReferenceElementwise(activityL1)
{
    private readonly ReferenceActivation _activation = ReferenceActivation.Of(function);

    protected override double Value(double z, int row, int unit, bool training) => _activation.Value(z);

    protected override double Derivative(double z, int row, int unit) => _activation.Derivative(z);
}

/// <summary>Leaky with a learned slope, one for the layer or one a unit.</summary>
public sealed class ReferencePRelu(string name, double[] slope, double activityL1) : ReferenceElementwise(activityL1)
{
    private readonly ReferenceParameter _slope = new($"{name}.slope", slope);

    public override IEnumerable<ReferenceParameter> Parameters => [_slope];

    protected override double Value(double z, int row, int unit, bool training) => z > 0 ? z : Slope(unit) * z;

    protected override double Derivative(double z, int row, int unit) => z > 0 ? 1 : Slope(unit);

    protected override void Learn(double[][] dh)
    {
        for (var r = 0; r < dh.Length; r++)
            for (var c = 0; c < dh[r].Length; c++)
                _slope.Gradient[Index(c)] += Math.Min(Z[r][c], 0) * dh[r][c];
    }

    private double Slope(int unit) => _slope.Values[Index(unit)];

    private int Index(int unit) => _slope.Values.Length == 1 ? 0 : unit;
}

/// <summary>Random bits of an entry of the noisy layer with this index.</summary>
public delegate uint ReferenceNoise(int layer, int row, int unit);

/// <summary>Leaky with a slope from U(lower, upper) for every entry while training.</summary>
public sealed class ReferenceRRelu(GoldenFunction function, double activityL1, Func<int, int, uint> bits) : ReferenceElementwise(activityL1)
{
    private bool _training;

    protected override double Value(double z, int row, int unit, bool training)
    {
        _training = training;
        return z > 0 ? z : Slope(row, unit) * z;
    }

    protected override double Derivative(double z, int row, int unit) => z > 0 ? 1 : Slope(row, unit);

    private double Slope(int row, int unit)
    {
        var (lower, upper) = (function.Lower!.Value, function.Upper!.Value);
        return _training ? lower + (upper - lower) * (bits(row, unit) >> 8) / (1 << 24) : (lower + upper) / 2;
    }
}

/// <summary>While training, entries whose bits are below the rate are dropped: they become 0 and the others grow, or what
/// alpha dropout makes of that.</summary>
public sealed class ReferenceDropout(double rate, bool alpha, Func<int, int, uint> bits) : ReferenceLayer
{
    private readonly double _factor = alpha ? 1 / Math.Sqrt(1 - rate + Low * Low * rate * (1 - rate)) : 1 / (1 - rate);
    private bool _training;

    /// <summary>selu's limit at minus infinity.</summary>
    private const double Low = -1.0507009873554805 * 1.6732632423543772;

    public override double[][] Forward(double[][] x, bool training)
    {
        _training = training;
        var shift = alpha ? -_factor * rate * Low : 0;
        return training ? Map(x, (r, c) => _factor * (Kept(r, c) ? x[r][c] : alpha ? Low : 0) + shift) : x;
    }

    public override double[][] Backward(double[][] dy) => _training ? Map(dy, (r, c) => Kept(r, c) ? _factor * dy[r][c] : 0) : dy;

    private bool Kept(int row, int unit) => bits(row, unit) >= rate * 4294967296.0;
}

/// <summary>(x - mean) / sqrt(var + epsilon) * gamma + beta over a unit's rows; running statistics in evaluation mode.</summary>
public sealed class ReferenceBatchNorm(string name, double[] gamma, double[] beta, double epsilon, double momentum) : ReferenceLayer
{
    private readonly ReferenceParameter _gamma = new($"{name}.gamma", gamma);
    private readonly ReferenceParameter _beta = new($"{name}.beta", beta);
    private double[][] _normalized = [];
    private double[] _deviation = [];
    private bool _training;

    public string Name => name;

    public double[] RunningMean { get; init; } = new double[gamma.Length];

    public double[] RunningVariance { get; init; } = [.. Enumerable.Repeat(1.0, gamma.Length)];

    public override IEnumerable<ReferenceParameter> Parameters => [_gamma, _beta];

    public override double[][] Forward(double[][] x, bool training)
    {
        _training = training;
        var units = Enumerable.Range(0, _gamma.Values.Length).ToArray();
        var mean = training ? [.. units.Select(u => x.Average(row => row[u]))] : RunningMean;
        var variance = training ? [.. units.Select(u => x.Average(row => (row[u] - mean[u]) * (row[u] - mean[u])))] : RunningVariance;
        if (training)
            foreach (var u in units)
            {
                RunningMean[u] += momentum * (mean[u] - RunningMean[u]);
                if (x.Length > 1)
                    RunningVariance[u] += momentum * (variance[u] * x.Length / (x.Length - 1) - RunningVariance[u]);
            }
        _deviation = [.. variance.Select(v => Math.Sqrt(v + epsilon))];
        _normalized = Map(x, (r, u) => (x[r][u] - mean[u]) / _deviation[u]);
        return Map(x, (r, u) => _normalized[r][u] * _gamma.Values[u] + _beta.Values[u]);
    }

    public override double[][] Backward(double[][] dy)
    {
        for (var u = 0; u < _gamma.Values.Length; u++)
        {
            _beta.Gradient[u] += dy.Sum(row => row[u]);
            _gamma.Gradient[u] += dy.Select((row, r) => row[u] * _normalized[r][u]).Sum();
        }
        if (!_training)
            return Map(dy, (r, u) => _gamma.Values[u] / _deviation[u] * dy[r][u]);
        var units = Enumerable.Range(0, _gamma.Values.Length);
        double[] sums = [.. units.Select(u => dy.Sum(row => row[u]))],
            products = [.. units.Select(u => dy.Select((row, k) => row[u] * _normalized[k][u]).Sum())];
        return Map(dy,
            (r, u) => _gamma.Values[u] / _deviation[u] / dy.Length * (dy.Length * dy[r][u] - sums[u] - _normalized[r][u] * products[u]));
    }
}

/// <summary>The same over a row's units.</summary>
public sealed class ReferenceLayerNorm(string name, double[] gamma, double[] beta, double epsilon) : ReferenceLayer
{
    private readonly ReferenceParameter _gamma = new($"{name}.gamma", gamma);
    private readonly ReferenceParameter _beta = new($"{name}.beta", beta);
    private double[][] _normalized = [];
    private double[] _deviation = [];

    public override IEnumerable<ReferenceParameter> Parameters => [_gamma, _beta];

    public override double[][] Forward(double[][] x, bool training)
    {
        double[] mean = [.. x.Select(row => row.Average())];
        _deviation = [.. x.Select((row, r) => Math.Sqrt(row.Average(v => (v - mean[r]) * (v - mean[r])) + epsilon))];
        _normalized = Map(x, (r, u) => (x[r][u] - mean[r]) / _deviation[r]);
        return Map(x, (r, u) => _normalized[r][u] * _gamma.Values[u] + _beta.Values[u]);
    }

    public override double[][] Backward(double[][] dy)
    {
        var units = _gamma.Values.Length;
        for (var u = 0; u < units; u++)
        {
            _beta.Gradient[u] += dy.Sum(row => row[u]);
            _gamma.Gradient[u] += dy.Select((row, r) => row[u] * _normalized[r][u]).Sum();
        }
        var dn = Map(dy, (r, u) => dy[r][u] * _gamma.Values[u]);
        double[] sums = [.. dn.Select(row => row.Sum())],
            products = [.. dn.Select((row, r) => row.Select((d, k) => d * _normalized[r][k]).Sum())];
        return Map(dn, (r, u) => (units * dn[r][u] - sums[r] - _normalized[r][u] * products[r]) / units / _deviation[r]);
    }
}

/// <summary>x + branch(x), and nothing after the sum.</summary>
public sealed class ReferenceResidual(IReadOnlyList<ReferenceLayer> branch) : ReferenceLayer
{
    public IReadOnlyList<ReferenceLayer> Branch => branch;

    public override IEnumerable<ReferenceParameter> Parameters => branch.SelectMany(l => l.Parameters);

    public override double[][] Forward(double[][] x, bool training)
    {
        var y = branch.Aggregate(x, (h, layer) => layer.Forward(h, training));
        return Map(x, (r, c) => x[r][c] + y[r][c]);
    }

    public override double[][] Backward(double[][] dy)
    {
        var dx = branch.Reverse().Aggregate(dy, (d, layer) => layer.Backward(d));
        return Map(dy, (r, c) => dy[r][c] + dx[r][c]);
    }
}

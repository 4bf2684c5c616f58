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

    /// <summary>What an activation read last; empty for other layers.</summary>
    public virtual double[][] PreActivations => [];

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
        return y;
    }

    public override double[][] Backward(double[][] dy)
    {
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

/// <summary>h = f(z), and the penalty on |h| where there is one.</summary>
public sealed class ReferenceActivationLayer(GoldenFunction function, double activityL1) : ReferenceLayer
{
    private readonly ReferenceActivation _activation = ReferenceActivation.Of(function);
    private double[][] _z = [], _h = [];

    public override double[][] PreActivations => _z;

    public double Penalty => activityL1 * _h.Sum(row => row.Sum(Math.Abs)) / _h.Length;

    public override double[][] Forward(double[][] x, bool training)
    {
        _z = x;
        return _h = Map(x, (r, c) => _activation.Value(x[r][c]));
    }

    public override double[][] Backward(double[][] dy) =>
        Map(dy, (r, c) => (dy[r][c] + activityL1 * Math.Sign(_h[r][c]) / _h.Length) * _activation.Derivative(_z[r][c]));
}

/// <summary>Leaky with a learned slope, one for the layer or one a unit.</summary>
public sealed class ReferencePRelu(string name, double[] slope) : ReferenceLayer
{
    private readonly ReferenceParameter _slope = new($"{name}.slope", slope);
    private double[][] _z = [];

    public override IEnumerable<ReferenceParameter> Parameters => [_slope];

    public override double[][] PreActivations => _z;

    public override double[][] Forward(double[][] x, bool training)
    {
        _z = x;
        return Map(x, (r, c) => x[r][c] > 0 ? x[r][c] : _slope.Values[Index(c)] * x[r][c]);
    }

    public override double[][] Backward(double[][] dy)
    {
        for (var r = 0; r < dy.Length; r++)
            for (var c = 0; c < dy[r].Length; c++)
                _slope.Gradient[Index(c)] += _z[r][c] > 0 ? 0 : dy[r][c] * _z[r][c];
        return Map(dy, (r, c) => _z[r][c] > 0 ? dy[r][c] : dy[r][c] * _slope.Values[Index(c)]);
    }

    private int Index(int unit) => _slope.Values.Length == 1 ? 0 : unit;
}

/// <summary>Multiplies by a mask that the test holds: 0, or 1 / (1 - rate).</summary>
public sealed class ReferenceDropout(double[][] mask) : ReferenceLayer
{
    public override double[][] Forward(double[][] x, bool training) => training ? Map(x, (r, c) => x[r][c] * mask[r][c]) : x;

    public override double[][] Backward(double[][] dy) => Map(dy, (r, c) => dy[r][c] * mask[r][c]);
}

/// <summary>(x - mean) / sqrt(var + epsilon) * gamma + beta over a unit's rows; running statistics in evaluation mode.</summary>
public sealed class ReferenceBatchNorm(string name, double[] gamma, double[] beta, double epsilon, double momentum) : ReferenceLayer
{
    private readonly ReferenceParameter _gamma = new($"{name}.gamma", gamma);
    private readonly ReferenceParameter _beta = new($"{name}.beta", beta);
    private double[][] _normalized = [];
    private double[] _deviation = [];

    public string Name => name;

    public double[] RunningMean { get; } = new double[gamma.Length];

    public double[] RunningVariance { get; } = [.. Enumerable.Repeat(1.0, gamma.Length)];

    public override IEnumerable<ReferenceParameter> Parameters => [_gamma, _beta];

    public override double[][] Forward(double[][] x, bool training)
    {
        var units = Enumerable.Range(0, _gamma.Values.Length).ToArray();
        var mean = training ? [.. units.Select(u => x.Average(row => row[u]))] : RunningMean;
        var variance = training ? [.. units.Select(u => x.Average(row => (row[u] - mean[u]) * (row[u] - mean[u])))] : RunningVariance;
        if (training)
            foreach (var u in units)
            {
                RunningMean[u] += momentum * (mean[u] - RunningMean[u]);
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
        return Map(dy, (r, u) => _gamma.Values[u] / _deviation[u] / dy.Length
            * (dy.Length * dy[r][u] - dy.Sum(row => row[u]) - _normalized[r][u] * dy.Select((row, k) => row[u] * _normalized[k][u]).Sum()));
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
        _deviation = [.. x.Select(row => Math.Sqrt(row.Average(v => (v - row.Average()) * (v - row.Average())) + epsilon))];
        _normalized = Map(x, (r, u) => (x[r][u] - x[r].Average()) / _deviation[r]);
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
        return Map(dn, (r, u) =>
            (units * dn[r][u] - dn[r].Sum() - _normalized[r][u] * dn[r].Select((d, k) => d * _normalized[r][k]).Sum()) / units / _deviation[r]);
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

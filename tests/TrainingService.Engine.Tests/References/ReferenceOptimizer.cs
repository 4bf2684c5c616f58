using TrainingService.Engine.Tests.Golden;

namespace TrainingService.Engine.Tests.References;

/// <summary>PyTorch's update rules, number by number.</summary>
public sealed class ReferenceOptimizer(GoldenOptimizer options)
{
    private readonly Dictionary<string, (double[] First, double[] Second)> _state = [];
    private int _step;

    public void Step(IEnumerable<ReferenceParameter> parameters)
    {
        _step++;
        foreach (var parameter in parameters)
        {
            if (!_state.TryGetValue(parameter.Name, out var state))
                _state[parameter.Name] = state = (new double[parameter.Values.Length], new double[parameter.Values.Length]);
            for (var i = 0; i < parameter.Values.Length; i++)
                parameter.Values[i] = Update(parameter.Values[i], parameter.Gradient[i], ref state.First[i], ref state.Second[i]);
        }
    }

    private double Update(double p, double g, ref double first, ref double second)
    {
        if (options.Name == "adamw")
            p -= options.LearningRate * options.WeightDecay * p;
        else
            g += options.WeightDecay * p;
        return options.Name switch
        {
            "sgd" => Sgd(p, g, ref first),
            "adam" or "adamw" => Adam(p, g, ref first, ref second),
            "rmsprop" => RmsProp(p, g, ref first, ref second),
            _ => throw new ArgumentException(options.Name),
        };
    }

    private double Sgd(double p, double g, ref double m)
    {
        m = options.Momentum * m + g;
        return p - options.LearningRate * (options.Nesterov ? g + options.Momentum * m : m);
    }

    private double Adam(double p, double g, ref double m, ref double v)
    {
        m = options.Beta1 * m + (1 - options.Beta1) * g;
        v = options.Beta2 * v + (1 - options.Beta2) * g * g;
        return p - options.LearningRate * (m / (1 - Math.Pow(options.Beta1, _step)))
            / (Math.Sqrt(v / (1 - Math.Pow(options.Beta2, _step))) + options.Epsilon);
    }

    private double RmsProp(double p, double g, ref double m, ref double v)
    {
        v = options.Alpha * v + (1 - options.Alpha) * g * g;
        m = options.Momentum * m + g / (Math.Sqrt(v) + options.Epsilon);
        return p - options.LearningRate * m;
    }
}

using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Optimizers;

namespace TrainingService.Engine.Layers;

/// <summary>What a dense layer is made of; all specs are resolved.</summary>
/// <param name="Name"><c>hidden1</c>, ..., <c>output</c>.</param>
/// <param name="Inputs">K.</param>
/// <param name="Outputs">N.</param>
/// <param name="Activation">Identity for the output layer.</param>
/// <param name="Initializer">Of the weight.</param>
/// <param name="BiasInitializer">Of the bias.</param>
/// <param name="Dropout">Rate of the dropout between the layer before and this one; 0 without.</param>
internal sealed record DensePlan(string Name, int Inputs, int Outputs, ActivationSpec Activation, InitializerSpec Initializer, InitializerSpec BiasInitializer, double Dropout)
{
    /// <summary>Learned slopes: none, one or one per unit.</summary>
    public int Slopes => Activation.Shared switch
    {
        true => 1,
        false => Outputs,
        null => 0,
    };

    public long Parameters => (long)Inputs * Outputs + Outputs + Slopes;
}

/// <summary>Trained numbers with the optimiser's states beside them, all in one layout.</summary>
internal sealed unsafe class Parameters(long count, int states) : IDisposable
{
    private readonly FloatBuffer _values = new(count), _first = new(states > 0 ? count : 0), _second = new(states > 1 ? count : 0);

    public float* Values => _values.Pointer;

    public float* First => _first.Pointer;

    public float* Second => _second.Pointer;

    public void Dispose()
    {
        _values.Dispose();
        _first.Dispose();
        _second.Dispose();
    }
}

/// <summary>h = f(W x + b) on a batch: the parameters, the optimiser's states and the buffers of one layer.</summary>
internal sealed unsafe class DenseLayer : IDisposable
{
    private readonly FloatBuffer _z, _h, _biasGradient, _slopeGradient;
    private readonly FloatBuffer? _dropped;

    /// <param name="plan">What to build.</param>
    /// <param name="index">Of the layer, from 0; selects its random streams.</param>
    /// <param name="seed">The run's.</param>
    /// <param name="states">Numbers that the optimiser keeps per parameter.</param>
    /// <param name="blocks">Largest batch, in blocks of 32 samples.</param>
    public DenseLayer(DensePlan plan, int index, long seed, int states, int blocks)
    {
        Plan = plan;
        Activation = ActivationRegistry.Bind(plan.Activation);
        Weights = new((long)Layout.Tiles(plan.Inputs) * plan.Outputs * 32, states);
        Bias = new(Layout.Padded(plan.Outputs), states);
        Slopes = new(Layout.Padded(plan.Slopes), states);
        _biasGradient = new(Layout.Padded(plan.Outputs));
        _slopeGradient = new(Layout.Padded(plan.Slopes));
        _z = new((long)blocks * plan.Outputs * 32);
        _h = new((long)blocks * plan.Outputs * 32);
        _dropped = plan.Dropout > 0 ? new((long)blocks * plan.Inputs * 32) : null;

        var weight = new float[(long)plan.Inputs * plan.Outputs];
        InitializerRegistry.DrawFor(plan.Initializer, plan.Inputs, plan.Outputs, plan.Activation).Fill(weight, new(seed, StreamPurpose.Weights, index));
        SetWeight(weight);
        InitializerRegistry.DrawFor(plan.BiasInitializer, plan.Inputs, plan.Outputs, plan.Activation).Fill(new(Bias.Values, plan.Outputs), new(seed, StreamPurpose.Biases, index));
        new Span<float>(Slopes.Values, plan.Slopes).Fill((float)(plan.Activation.Init ?? 0));
    }

    public DensePlan Plan { get; }

    public Activation Activation { get; }

    public Parameters Weights { get; }

    public Parameters Bias { get; }

    public Parameters Slopes { get; }

    /// <summary>Distance between the slopes of two units.</summary>
    public int SlopeStride => Plan.Slopes > 1 ? 1 : 0;

    public float* Z => _z.Pointer;

    public float* H => _h.Pointer;

    public float* BiasGradient => _biasGradient.Pointer;

    public float* SlopeGradient => _slopeGradient.Pointer;

    /// <summary>The input after dropout; only where the plan has some.</summary>
    public float* Dropped => _dropped!.Pointer;

    /// <summary>Of the weight in the last step.</summary>
    public StepNorms LastStep { get; set; }

    /// <summary>The weight, (out, in) row by row.</summary>
    public float[] GetWeight() => FromPanels(Weights.Values);

    /// <summary>Sets the weight from (out, in) row by row.</summary>
    public void SetWeight(ReadOnlySpan<float> weight)
    {
        for (var n = 0; n < Plan.Outputs; n++)
            for (var k = 0; k < Plan.Inputs; k++)
                Weights.Values[Layout.Panel(n, k, Plan.Outputs)] = weight[n * Plan.Inputs + k];
    }

    /// <summary>Numbers that lie as the weight does, (out, in) row by row.</summary>
    public float[] FromPanels(float* panels)
    {
        var result = new float[(long)Plan.Outputs * Plan.Inputs];
        for (var n = 0; n < Plan.Outputs; n++)
            for (var k = 0; k < Plan.Inputs; k++)
                result[n * Plan.Inputs + k] = panels[Layout.Panel(n, k, Plan.Outputs)];
        return result;
    }

    public void Dispose()
    {
        Weights.Dispose();
        Bias.Dispose();
        Slopes.Dispose();
        _biasGradient.Dispose();
        _slopeGradient.Dispose();
        _z.Dispose();
        _h.Dispose();
        _dropped?.Dispose();
    }
}

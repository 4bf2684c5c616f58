using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;

namespace TrainingService.Engine.Optimizers;

/// <summary>Sums of squares over the parameters that one step has changed.</summary>
internal struct StepNorms
{
    /// <summary>Of the changes.</summary>
    public double Update;

    /// <summary>Of the gradients, before clipping and weight decay; only in measured steps.</summary>
    public double Gradient;

    /// <summary>Of the parameters before the step; only in measured steps.</summary>
    public double Parameter;

    public void Add(in StepNorms other)
    {
        Gradient += other.Gradient;
        Update += other.Update;
        Parameter += other.Parameter;
    }
}

/// <summary>The update loop, and the operator of the step at hand.</summary>
internal abstract unsafe class Optimizer
{
    /// <summary>Numbers kept per parameter from step to step.</summary>
    public abstract int States { get; }

    /// <summary>
    /// Binds the step's numbers: learning rate, momentum (sgd, or beta1 of adam; null for the plan's own) and the index from 1.
    /// </summary>
    public abstract void Begin(double learningRate, double? momentum, long step);

    /// <summary>
    /// Updates <paramref name="count"/> parameters, a multiple of 32; padding has gradient 0. With <paramref name="half"/>
    /// only the first 16 of every 32 exist. A <paramref name="vector"/> (bias, norm, slope) may be left out of the weight decay.
    /// </summary>
    public abstract void Apply(float* gradient, float* parameters, float* first,
        float* second, int count, bool measured, ref StepNorms norms, bool vector, bool half = false);
}

/// <inheritdoc/>
/// <param name="bind">The step's operator of learning rate, momentum, index from 1 and weight decay.</param>
/// <param name="decay">Of weights.</param>
/// <param name="vectorDecay">Of biases, norms and slopes.</param>
internal sealed unsafe class Optimizer<TOp>(Func<double, double?, long, double, TOp> bind, double decay = 0, double vectorDecay = 0)
    : Optimizer where TOp : struct, IUpdate
{
    private TOp _op, _ofVectors;

    public override int States => TOp.States;

    public override void Begin(double learningRate, double? momentum, long step) =>
        (_op, _ofVectors) = (bind(learningRate, momentum, step, decay), bind(learningRate, momentum, step, vectorDecay));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Apply(float* gradient, float* parameters, float* first,
        float* second, int count, bool measured, ref StepNorms norms, bool vector, bool half = false)
    {
        var op = vector ? _ofVectors : _op;
        // two of each: one sum would make every 16 parameters wait for the last ones' addition
        Sums low = default, high = default;
        for (var i = 0; i < count; i += 32)
        {
            Step(op, gradient + i, parameters + i, first + i, second + i, measured, ref low);
            if (!half)
                Step(op, gradient + i + 16, parameters + i + 16, first + i + 16, second + i + 16, measured, ref high);
        }
        norms.Update += VectorMath.Sum(low.Updates + high.Updates);
        if (!measured)
            return;
        norms.Gradient += VectorMath.Sum(low.Gradients + high.Gradients);
        norms.Parameter += VectorMath.Sum(low.Parameters + high.Parameters);
    }

    private struct Sums
    {
        public Vector512<float> Updates, Gradients, Parameters;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step(TOp op, float* gradient, float* parameters, float* first, float* second, bool measured, ref Sums squares)
    {
        var g = Vector512.Load(gradient);
        var before = Vector512.Load(parameters);
        var m = TOp.States > 0 ? Vector512.Load(first) : default;
        var v = TOp.States > 1 ? Vector512.Load(second) : default;
        var after = op.Step(g, before, ref m, ref v);
        after.Store(parameters);
        if (TOp.States > 0)
            m.Store(first);
        if (TOp.States > 1)
            v.Store(second);
        var update = after - before;
        squares.Updates = Vector512.FusedMultiplyAdd(update, update, squares.Updates);
        if (!measured)
            return;
        squares.Gradients = Vector512.FusedMultiplyAdd(g, g, squares.Gradients);
        squares.Parameters = Vector512.FusedMultiplyAdd(before, before, squares.Parameters);
    }
}

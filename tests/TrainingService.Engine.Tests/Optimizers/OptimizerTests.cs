using TrainingService.Engine.Optimizers;
using TrainingService.Engine.Tests.Golden;
using TrainingService.Engine.Tests.Memory;
using TrainingService.Engine.Tests.References;
using Xunit;

namespace TrainingService.Engine.Tests.Optimizers;

/// <summary>200 steps of each update rule on random gradients, against the formulas in double precision.</summary>
[Trait("Category", "Kernel")]
public sealed unsafe class OptimizerTests
{
    private const int Count = 96;

    public static TheoryData<string, double, bool, double> Rules => new()
    {
        { "sgd", 0, false, 0 }, { "sgd", 0, false, 0.01 }, { "sgd", 0.9, false, 0 }, { "sgd", 0.9, false, 0.1 },
        { "sgd", 0.9, true, 0 }, { "sgd", 0.5, true, 0.02 }, { "adam", 0, false, 0 }, { "adam", 0, false, 0.05 },
        { "adamw", 0, false, 0.05 }, { "rmsprop", 0, false, 0 }, { "rmsprop", 0.9, false, 0.01 },
    };

    [Theory, MemberData(nameof(Rules))]
    public void Steps_follow_the_formula(string name, double momentum, bool nesterov, double weightDecay)
    {
        GoldenOptimizer options = new()
        {
            Name = name,
            LearningRate = 0.01,
            Momentum = momentum,
            Nesterov = nesterov,
            WeightDecay = weightDecay,
            Beta1 = 0.8,
            Beta2 = 0.95,
            Alpha = 0.9,
            Epsilon = 1e-6,
        };
        var optimizer = GoldenSpecs.Plan(GoldenSpecs.Optimizer(options)).Create();
        var expected = new ReferenceParameter("p", new SplitMix64(1).Symmetric(Count, 1));
        var reference = new ReferenceOptimizer(options);
        using GuardedBuffer gradient = new(Count), values = new([.. expected.Values.Select(v => (float)v)]),
            first = new(Count), second = new(Count);
        var generator = new SplitMix64(2);
        for (var step = 1; step <= 200; step++)
        {
            var before = values.Values.ToArray();
            for (var i = 0; i < Count; i++)
                expected.Gradient[i] = gradient.Values[i] = (float)generator.Symmetric(2);
            var norms = default(StepNorms);
            optimizer.Begin(options.LearningRate, null, step);
            optimizer.Apply(gradient.Pointer, values.Pointer, first.Pointer, second.Pointer, Count,
                measured: true, ref norms, vector: false);
            reference.Step([expected]);
            Close.Assert(expected.Values, [.. values.Values.ToArray().Select(v => (double)v)], 1e-5, $"step {step}");
            Close.Assert(expected.Gradient.Sum(g => g * g), norms.Gradient, 1e-5, "gradient norm");
            Close.Assert(before.Sum(p => (double)p * p), norms.Parameter, 1e-5, "parameter norm");
            // the change itself is a difference of rounded floats
            Assert.Equal(before.Zip(values.Values.ToArray()).Sum(p => Math.Pow(p.Second - (double)p.First, 2)),
                norms.Update, norms.Update * 1e-5);
        }
        foreach (var buffer in new[] { gradient, values, first, second })
            buffer.AssertIntact();
    }

    /// <summary>Each optimiser's step on a vector is then the one without decay, and on a matrix the one with it.</summary>
    [Theory, InlineData("sgd", 0.0), InlineData("sgd", 0.9), InlineData("adam", 0.0), InlineData("adamw", 0.0), InlineData("rmsprop", 0.0)]
    public void Biases_norms_and_slopes_may_be_left_out_of_the_weight_decay(string name, double momentum)
    {
        OptimizerSpec plain = new() { Name = name, LearningRate = 0.1, WeightDecay = 0, Momentum = name == "sgd" ? momentum : null },
            decayed = plain with { WeightDecay = 0.5 }, excluded = decayed with { WeightDecayExclude = "bias_and_norm" };
        Assert.Equal(After(plain, vector: true), After(excluded, vector: true));
        Assert.Equal(After(decayed, vector: false), After(excluded, vector: false));
        Assert.NotEqual(After(plain, vector: true), After(decayed, vector: true));
        Assert.Equal(After(decayed, vector: true), After(decayed, vector: false));

        float[] After(OptimizerSpec spec, bool vector)
        {
            using GuardedBuffer gradient = new(new float[32]), values = new(new float[32]), first = new(32), second = new(32);
            gradient.Values.Fill(0.25f);
            values.Values.Fill(2);
            var norms = default(StepNorms);
            var optimizer = GoldenSpecs.Plan(spec).Create();
            for (var step = 1; step <= 3; step++)
            {
                optimizer.Begin(0.1, null, step);
                optimizer.Apply(gradient.Pointer, values.Pointer, first.Pointer, second.Pointer, 32, false, ref norms, vector);
            }
            return values.Values.ToArray();
        }
    }

    [Fact]
    public void Padding_stays_zero()
    {
        foreach (var options in new OptimizerPlan[]
        {
            new AdamPlan(LearningRate: 0.1, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.1),
            new AdamWPlan(LearningRate: 0.1, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.1),
            new RmsPropPlan(LearningRate: 0.1, Alpha: 0.9, Momentum: 0.9, Epsilon: 1e-8, WeightDecay: 0.1),
            new SgdPlan(LearningRate: 0.1, Momentum: 0.9, Nesterov: true, WeightDecay: 0.1),
        })
        {
            using GuardedBuffer gradient = new(32), values = new(32), first = new(32), second = new(32);
            var norms = default(StepNorms);
            var optimizer = options.Create();
            optimizer.Begin(0.1, null, 1);
            optimizer.Apply(gradient.Pointer, values.Pointer, first.Pointer, second.Pointer, 32, measured: false, ref norms, vector: false);
            Assert.Equal(new float[32], values.Values);
        }
    }
}

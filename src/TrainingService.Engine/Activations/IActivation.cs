using System.Runtime.Intrinsics;

namespace TrainingService.Engine.Activations;

/// <summary>An activation as an operator on 16 numbers: a struct, so that the JIT compiles each loop once per activation.</summary>
internal interface IActivation<TSelf> where TSelf : struct, IActivation<TSelf>
{
    /// <summary>True if the slope for z &lt;= 0 is a trained parameter of the layer.</summary>
    static virtual bool LearnsSlope => false;

    /// <summary>The same activation with the learned slope of the unit that a loop is at.</summary>
    static virtual TSelf WithSlope(TSelf self, float slope) => self;

    /// <summary>True if the function is drawn anew for every entry while training.</summary>
    static virtual bool Random => false;

    /// <summary>The same activation as drawn with these random bits.</summary>
    static virtual TSelf WithBits(TSelf self, Vector512<uint> bits) => self;

    /// <summary>h = f(z).</summary>
    Vector512<float> Value(Vector512<float> z);

    /// <summary>f'(z), with h = f(z) at hand.</summary>
    Vector512<float> Derivative(Vector512<float> z, Vector512<float> h);
}

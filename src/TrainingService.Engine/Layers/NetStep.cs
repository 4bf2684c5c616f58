using System.Runtime.InteropServices;
using TrainingService.Engine.Activations;

namespace TrainingService.Engine.Layers;

/// <summary>Learned numbers by name, in row-major order.</summary>
/// <param name="Name">
/// As in PyTorch's Sequential of the same layers: <c>0.weight</c>, <c>1.running_mean</c>, <c>2.branch.0.bias</c>.
/// </param>
/// <param name="Shape">(out, in) of a matrix, (units) of a vector.</param>
/// <param name="Bytes">Little-endian float32, as many as the shape says.</param>
public sealed record Tensor(string Name, IReadOnlyList<int> Shape, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>The numbers.</summary>
    public ReadOnlySpan<float> Values => MemoryMarshal.Cast<byte, float>(Bytes.Span);
}

/// <summary>Numbers of tensors that lie one behind the other, taken in their order; none is copied.</summary>
internal sealed class StoredTensors(ReadOnlyMemory<byte> numbers)
{
    private ReadOnlyMemory<byte> _left = numbers;

    public Tensor Next(string name, params int[] shape)
    {
        var length = shape.Aggregate(sizeof(float), (product, n) => product * n);
        var next = _left[..length];
        _left = _left[length..];
        return new(name, shape, next);
    }
}

/// <summary>What one layer of a trained net does when it evaluates, with its numbers: enough to rebuild it elsewhere.</summary>
public abstract record NetStep
{
    /// <summary>Its tensors, in the order in which they are stored.</summary>
    public abstract IReadOnlyList<Tensor> Tensors { get; }
}

/// <summary>z = W x + b.</summary>
public sealed record LinearStep(Tensor Weight, Tensor Bias) : NetStep
{
    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Tensors => [Weight, Bias];
}

/// <summary>h = f(z).</summary>
/// <param name="Function">Which, with its parameters.</param>
/// <param name="Slope">What was learned in place of the slope that it began with: one number or one a unit; null for none.</param>
public sealed record ActivationStep(ActivationFunction Function, Tensor? Slope) : NetStep
{
    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Tensors => Slope is null ? [] : [Slope];
}

/// <summary>y = weight (x - mean) / sqrt(variance + epsilon) + bias per unit.</summary>
public sealed record BatchNormStep(double Epsilon, Tensor Weight, Tensor Bias, Tensor Mean, Tensor Variance) : NetStep
{
    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Tensors => [Weight, Bias, Mean, Variance];
}

/// <summary>y = weight (x - mean) / sqrt(variance + epsilon) + bias, mean and variance over a sample's units.</summary>
public sealed record LayerNormStep(double Epsilon, Tensor Weight, Tensor Bias) : NetStep
{
    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Tensors => [Weight, Bias];
}

/// <summary>Passes its input on: dropout.</summary>
public sealed record PassStep : NetStep
{
    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Tensors => [];
}

/// <summary>x + branch(x).</summary>
public sealed record ResidualStep(IReadOnlyList<NetStep> Branch) : NetStep
{
    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Tensors => [.. Branch.SelectMany(step => step.Tensors)];
}

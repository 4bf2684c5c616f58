using System.Collections;
using System.Reflection;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Optimizers;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Training;

/// <summary>What a trainer really holds, found by walking its objects, against what its plan promised.</summary>
public class MemoryEstimateTests
{
    [Theory]
    [InlineData("sgd", 0, 64, 30, 20)]
    [InlineData("sgd", 0.9, 100, 700, 500)]
    [InlineData("adam", 0, 1000, 2000, 1000)]
    [InlineData("adam", 0, 7, 3, 3)]
    public void The_estimate_covers_the_buffers_and_is_not_far_above(string optimizer, double momentum, int batch, int first, int second)
    {
        var data = Runs.Blobs(train: 2000);
        OptimizerSpec spec = optimizer == "sgd" ? new() { Name = "sgd", Momentum = momentum } : new() { Name = "adam" };
        LayerSpec dense = new() { Type = "dense", Units = second };
        foreach (var (model, clip) in new (ModelSpec, double?)[]
        {
            (new() { HiddenLayers = [first, second] }, null), (new() { HiddenLayers = [first, second], Dropout = 0.5, Normalization = "batch_norm" }, 1),
            (new() { Layers = [dense, new() { Type = "residual", Layers = [new() { Type = "layer_norm" }, dense] }] }, null),
        })
        {
            var plan = Runs.Plan(data, model, new() { Epochs = 1, BatchSize = batch, Optimizer = spec, ClipNorm = clip });
            using var trainer = new Trainer(plan, data);
            var held = Held(trainer, []);
            // lists of rows and the like are not worth their place in the formula
            Assert.InRange(plan.MemoryBytes, held * 0.98 - 32_768, held * 1.25 + 65_536);
        }
    }

    /// <summary>Bytes of all native buffers and arrays of numbers reachable from an object.</summary>
    private static long Held(object? item, HashSet<object> seen)
    {
        if (item is null or string or Pointer or MemberInfo or Delegate || item.GetType().IsPrimitive || !seen.Add(item))
            return 0;
        if (item is FloatBuffer buffer)
            return buffer.Length * sizeof(float);
        if (item is Array array && array.GetType().GetElementType()!.IsPrimitive)
            return Buffer.ByteLength(array);
        if (item is IEnumerable sequence)
            return sequence.Cast<object?>().Sum(e => Held(e, seen));
        if (item.GetType().Namespace?.StartsWith("TrainingService", StringComparison.Ordinal) != true)
            return 0;
        long sum = 0;
        for (var type = item.GetType(); type is not null; type = type.BaseType)
            sum += type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
                .Where(f => !f.FieldType.IsPointer).Sum(f => Held(f.GetValue(item), seen));
        return sum;
    }
}

using System.Reflection;
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
        foreach (var dropout in new[] { 0, 0.5 })
        {
            var plan = Runs.Plan(data, new() { HiddenLayers = [first, second], Dropout = dropout }, new() { Epochs = 1, BatchSize = batch, Optimizer = spec });
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
        if (item is Array array)
            return array.GetType().GetElementType()!.IsPrimitive ? Buffer.ByteLength(array) : array.Cast<object?>().Sum(e => Held(e, seen));
        if (item.GetType().Namespace?.StartsWith("TrainingService", StringComparison.Ordinal) != true)
            return 0;
        return item.GetType().GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Where(f => !f.FieldType.IsPointer)
            .Sum(f => Held(f.GetValue(item), seen));
    }
}

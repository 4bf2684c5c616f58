using TrainingService.Engine.Memory;
using TrainingService.Engine.Tests.Training;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Memory;

/// <summary>Debug builds catch overruns; Release builds must not pay for that, so there the same calls go through.</summary>
public unsafe class FloatBufferTests
{
    [Theory]
    [InlineData(0, 10, true)]
    [InlineData(10, 0, true)]
    [InlineData(3, 7, true)]
    [InlineData(3, 8, false)]
    [InlineData(11, 0, false)]
    [InlineData(-1, 2, false)]
    [InlineData(0, -1, false)]
    [InlineData(long.MaxValue, 2, false)]
    public void Only_what_the_buffer_has_is_handed_out(long offset, long count, bool allowed)
    {
        using var buffer = new FloatBuffer(10);
        var problem = Record.Exception(() => (nint)buffer.At(offset, count));
        if (allowed || !FloatBuffer.Checked)
            Assert.Null(problem);
        else
            Assert.Equal($"{count} numbers from {offset} on are not within a buffer of 10",
                Assert.IsType<InvalidOperationException>(problem).Message);
    }

    [Fact]
    public void Nothing_is_handed_out_once_it_is_freed()
    {
        var buffer = new FloatBuffer(10);
        buffer.Dispose();
        buffer.Dispose();
        if (FloatBuffer.Checked)
            Assert.Throws<ObjectDisposedException>(() => (nint)buffer.All);
        else
            Assert.True(buffer.All == null);
    }

    /// <summary>The least allocation is 16 numbers, so that the write does no harm where nobody looks.</summary>
    [Fact]
    public void A_write_past_the_end_is_found_when_the_buffer_is_freed()
    {
        var buffer = new FloatBuffer(10);
        buffer.All[10] = 1;
        var problem = Record.Exception(buffer.Dispose);
        if (FloatBuffer.Checked)
            Assert.Equal("number 10 of a buffer of 10 was written", Assert.IsType<InvalidOperationException>(problem).Message);
        else
            Assert.Null(problem);
    }

    [Fact]
    public void A_batch_larger_than_the_network_is_caught_before_a_kernel_gets_it()
    {
        if (!FloatBuffer.Checked)
            return;
        var data = Runs.Blobs(train: 200);
        using var trainer = new Trainer(Runs.Plan(data, training: new() { Epochs = 1, BatchSize = 64 }), data);
        Assert.Throws<InvalidOperationException>(() => trainer.Network.Load(data.Train, [.. Enumerable.Range(0, 65)]));
    }
}

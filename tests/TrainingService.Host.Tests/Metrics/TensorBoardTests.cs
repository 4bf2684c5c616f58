using System.Buffers.Binary;
using Google.Protobuf;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Metrics;

/// <summary>The event file, read as TensorBoard reads it: record by record with checksums, field by field.</summary>
public sealed class TensorBoardTests(Service service)
{
    private sealed record Scalar(string Tag, long Step, float Value, double Time);

    [Fact]
    public async Task All_measurements_are_in_the_event_file()
    {
        var id = await service.Http.SubmitAsync(epochs: 2, everySteps: 10);
        await service.Http.WaitForEndAsync(id);
        using var answer = await service.Http.GetAsync(new Uri($"/api/v1/jobs/{id}/tensorboard", UriKind.Relative),
            TestContext.Current.CancellationToken);
        Assert.StartsWith("events.out.tfevents.", answer.Content.Headers.ContentDisposition!.FileName!.Trim('"'), StringComparison.Ordinal);
        var records = Records(await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).ToList();
        Assert.Contains("brain.Event:2", System.Text.Encoding.UTF8.GetString(records[0]), StringComparison.Ordinal);
        var (scalars, histograms) = (new List<Scalar>(), new List<string>());
        foreach (var record in records.Skip(1))
            ReadEvent(record, scalars, histograms);

        var metrics = (await service.Http.GetAnswer($"/api/v1/jobs/{id}/metrics?maxPoints=1000000"))["series"].EnumerateArray();
        foreach (var series in metrics)
        {
            var tag = $"{series.GetProperty("name").GetString()}/{series.GetProperty("split").GetString()}";
            Assert.Equal(series.GetProperty("points").EnumerateArray().Select(p => (p[0].GetInt64(), p[2].GetSingle())),
                scalars.Where(s => s.Tag == tag).Select(s => (s.Step, s.Value)));
        }
        Assert.Contains(scalars, s => s.Tag == "sparsity/hidden1" && s.Step == 0);
        Assert.Contains("activations/hidden2", histograms);
        var times = scalars.Where(s => s.Tag == "loss/train").Select(s => s.Time).ToList();
        Assert.Equal(times.Order(), times);
        (await service.Http.GetAnswer($"/api/v1/jobs/{Guid.NewGuid()}/tensorboard")).MustBeProblem(404, "not-found");
    }

    private static IEnumerable<byte[]> Records(byte[] file)
    {
        for (var at = 0; at < file.Length;)
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(at));
            Assert.Equal(Masked(file.AsSpan(at, 8)), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 8)));
            Assert.Equal(Masked(file.AsSpan(at + 12, length)), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 12 + length)));
            yield return file[(at + 12)..(at + 12 + length)];
            at += 16 + length;
        }
    }

    /// <summary>CRC-32C bit by bit, from its polynomial; the check value of "123456789" is e3069283.</summary>
    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = ~0u;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ (0x82f63b78 & (0 - (crc & 1)));
        }
        return ~crc;
    }

    private static uint Masked(ReadOnlySpan<byte> bytes)
    {
        Assert.Equal(0xe3069283, Crc("123456789"u8));
        var crc = Crc(bytes);
        return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
    }

    // field numbers of tensorboard's event.proto and summary.proto
    private static void ReadEvent(byte[] record, List<Scalar> scalars, List<string> histograms)
    {
        var (time, step, input) = (0.0, 0L, new CodedInputStream(record));
        for (uint tag; (tag = input.ReadTag()) != 0;)
            switch (tag >> 3)
            {
                case 1:
                    time = input.ReadDouble();
                    break;
                case 2:
                    step = input.ReadInt64();
                    break;
                case 5:
                    var summary = input.ReadBytes().CreateCodedInput();
                    while (summary.ReadTag() != 0)
                        ReadValue(summary.ReadBytes().CreateCodedInput());
                    break;
            }

        void ReadValue(CodedInputStream value)
        {
            var name = "";
            for (uint tag; (tag = value.ReadTag()) != 0;)
                switch (tag >> 3)
                {
                    case 1:
                        name = value.ReadString();
                        break;
                    case 2:
                        scalars.Add(new(name, step, value.ReadFloat(), time));
                        break;
                    case 5:
                        histograms.Add(name);
                        value.SkipLastField();
                        break;
                }
        }
    }
}

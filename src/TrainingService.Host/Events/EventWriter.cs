using System.IO.Pipelines;
using System.Text;

namespace TrainingService.Host.Events;

/// <summary>Writes events as HTML describes them (section 9.2, Server-sent events).</summary>
public sealed class EventWriter(PipeWriter output)
{
    private const int Much = 16_384;

    private int _unsent;

    /// <summary>
    /// Whether so much waits to be sent that it should be: who writes on without that holds in memory what a slow reader doesn't take.
    /// </summary>
    public bool IsFull => _unsent >= Much;

    public bool IsEmpty => _unsent == 0;

    /// <param name="name">Of the kind of event.</param>
    /// <param name="id">By which a reader that comes again says where it was.</param>
    /// <param name="data">JSON on one line.</param>
    public void Event(string name, string id, ReadOnlySpan<byte> data)
    {
        Text($"event: {name}\nid: {id}\ndata: ");
        Bytes(data);
        Bytes("\n\n"u8);
    }

    /// <summary>What readers pass over.</summary>
    public void Comment() => Bytes(":\n\n"u8);

    /// <summary>Tells the reader to come again after a second if the stream breaks.</summary>
    public void Retry() => Bytes("retry: 1000\n\n"u8);

    /// <summary>Waits for a slow reader.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellation)
    {
        _unsent = 0;
        if ((await output.FlushAsync(cancellation)).IsCompleted)
            throw new OperationCanceledException("The reader has gone.", cancellation);
    }

    private void Text(string text)
    {
        var span = output.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        Advance(Encoding.UTF8.GetBytes(text, span));
    }

    private void Bytes(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(output.GetSpan(bytes.Length));
        Advance(bytes.Length);
    }

    private void Advance(int bytes)
    {
        output.Advance(bytes);
        _unsent += bytes;
    }
}

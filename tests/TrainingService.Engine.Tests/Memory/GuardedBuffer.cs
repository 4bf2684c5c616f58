using System.Runtime.InteropServices;

namespace TrainingService.Engine.Tests.Memory;

/// <summary>
/// Native floats between two stretches of NaNs with a mark: a write past either end is seen, and a read past it poisons the result.
/// </summary>
internal sealed unsafe class GuardedBuffer : IDisposable
{
    private const int Guard = 512;
    private const int Mark = 0x7fc0dead;
    private readonly float* _start;

    public GuardedBuffer(long length)
    {
        Length = length;
        _start = (float*)NativeMemory.AlignedAlloc((nuint)(length + 2 * Guard) * sizeof(float), 64);
        NativeMemory.Clear(Pointer, (nuint)length * sizeof(float));
        for (var i = 0; i < Guard; i++)
            ((int*)_start)[i] = ((int*)(Pointer + length))[i] = Mark;
    }

    public GuardedBuffer(ReadOnlySpan<float> values) : this(values.Length) => values.CopyTo(Values);

    public long Length { get; }

    public float* Pointer => _start + Guard;

    public Span<float> Values => new(Pointer, (int)Length);

    public void AssertIntact()
    {
        var before = new ReadOnlySpan<int>(_start, Guard).LastIndexOfAnyExcept(Mark);
        var after = new ReadOnlySpan<int>(Pointer + Length, Guard).IndexOfAnyExcept(Mark);
        if (before >= 0)
            throw new InvalidOperationException($"written {Guard - before} before the start");
        if (after >= 0)
            throw new InvalidOperationException($"written {after + 1} past the end");
    }

    public void Dispose() => NativeMemory.AlignedFree(_start);
}

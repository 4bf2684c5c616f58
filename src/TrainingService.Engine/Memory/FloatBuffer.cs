using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TrainingService.Engine.Memory;

/// <summary>
/// Native floats, aligned to a cache line and zeroed, so that vector loads never straddle lines and the collector never moves them.
/// Kernels get bare pointers, so Debug builds look twice: <see cref="At"/> whether the buffer has what is asked for, <see cref="Dispose"/>
/// whether someone wrote past its end.
/// </summary>
internal sealed unsafe partial class FloatBuffer : IDisposable
{
    private const nuint HugePage = 2 << 20;
    private const int HugePages = 14;

    // behind the last number: NaNs that no arithmetic makes, so that what reads them is poisoned
    private const int Guard = 0x7fc0dead;
#if DEBUG
    private const int Guards = 64;
#else
    private const int Guards = 0;
#endif

    [ThreadStatic]
    private static long _held;

    private float* _pointer;

    public FloatBuffer(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        var bytes = checked((nuint)(Math.Max(length, 16) + Guards) * sizeof(float));
        var large = bytes >= 2 * HugePage && OperatingSystem.IsLinux();
        _pointer = (float*)NativeMemory.AlignedAlloc(bytes, large ? HugePage : 64);
        // before the first touch; where the kernel has none to give, nothing changes
        if (large)
            _ = Advise(_pointer, bytes, HugePages);
        _held += length;
        NativeMemory.Clear(_pointer, bytes);
        SetGuards();
    }

    ~FloatBuffer() => Free();

    /// <summary>Whether this build looks.</summary>
    public static bool Checked => Guards > 0;

    /// <summary>Numbers in buffers that this thread has made and not freed: for tests of what is left behind.</summary>
    public static long Held => _held;

    public long Length { get; }

    public float* All => At(0, Length);

    /// <summary>Where <paramref name="count"/> numbers begin, of which the first is number <paramref name="offset"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float* At(long offset, long count)
    {
        Check(offset, count);
        return _pointer + offset;
    }

    public Span<float> Span(long offset, int count) => new(At(offset, count), count);

    /// <summary>Writes all numbers as they lie in memory.</summary>
    public void Capture(BinaryWriter writer) => writer.Write(MemoryMarshal.AsBytes(Whole));

    /// <summary>What <see cref="Capture"/> wrote, of a buffer of this length.</summary>
    public void Restore(BinaryReader reader) => reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(Whole));

    public void CopyTo(float* target) => NativeMemory.Copy(All, target, (nuint)Length * sizeof(float));

    public void CopyFrom(float* source) => NativeMemory.Copy(source, All, (nuint)Length * sizeof(float));

    private Span<float> Whole => Span(0, checked((int)Length));

    public void Dispose()
    {
        CheckGuards();
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_pointer != null)
            _held -= Length;
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
    }

    [Conditional("DEBUG")]
    private void Check(long offset, long count)
    {
        ObjectDisposedException.ThrowIf(_pointer == null, this);
        if (offset < 0 || count < 0 || offset > Length - count)
            throw new InvalidOperationException($"{count} numbers from {offset} on are not within a buffer of {Length}");
    }

    [Conditional("DEBUG")]
    private void SetGuards() => new Span<int>(_pointer + Length, Guards).Fill(Guard);

    [Conditional("DEBUG")]
    private void CheckGuards()
    {
        if (_pointer != null && new ReadOnlySpan<int>(_pointer + Length, Guards).IndexOfAnyExcept(Guard) is >= 0 and var at)
            throw new InvalidOperationException($"number {Length + at} of a buffer of {Length} was written");
    }

    /// <summary>madvise(MADV_HUGEPAGE): with pages of 4 KB, wide layers wait for page tables as long as for memory.</summary>
    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}

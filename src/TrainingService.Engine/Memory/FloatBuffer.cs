using System.Runtime.InteropServices;

namespace TrainingService.Engine.Memory;

/// <summary>Native floats, aligned to a cache line and zeroed, so that vector loads never straddle lines and the collector never moves them.</summary>
internal sealed unsafe partial class FloatBuffer : IDisposable
{
    private const nuint HugePage = 2 << 20;
    private const int HugePages = 14;

    public FloatBuffer(long length)
    {
        Length = length;
        var bytes = checked((nuint)Math.Max(length, 16) * sizeof(float));
        var large = bytes >= 2 * HugePage && OperatingSystem.IsLinux();
        Pointer = (float*)NativeMemory.AlignedAlloc(bytes, large ? HugePage : 64);
        // before the first touch; where the kernel has none to give, nothing changes
        if (large)
            _ = Advise(Pointer, bytes, HugePages);
        NativeMemory.Clear(Pointer, bytes);
    }

    ~FloatBuffer() => Free();

    public float* Pointer { get; private set; }

    public long Length { get; }

    public void Clear() => NativeMemory.Clear(Pointer, (nuint)Length * sizeof(float));

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
    }

    /// <summary>madvise(MADV_HUGEPAGE): with pages of 4 KB, wide layers wait for page tables as long as for memory.</summary>
    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}

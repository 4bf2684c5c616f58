using System.Runtime.InteropServices;

namespace TrainingService.Engine.Memory;

/// <summary>Native floats, aligned to a cache line and zeroed, so that vector loads never straddle lines and the collector never moves them.</summary>
internal sealed unsafe class FloatBuffer : IDisposable
{
    public FloatBuffer(long length)
    {
        Length = length;
        var bytes = checked((nuint)Math.Max(length, 16) * sizeof(float));
        Pointer = (float*)NativeMemory.AlignedAlloc(bytes, 64);
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
}

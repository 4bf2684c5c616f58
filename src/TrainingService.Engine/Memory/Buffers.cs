namespace TrainingService.Engine.Memory;

/// <summary>All native buffers of one network: whoever builds it frees them together, however far the building came.</summary>
internal sealed class Buffers : IDisposable
{
    private readonly List<FloatBuffer> _all = [];

    public FloatBuffer New(long length)
    {
        var buffer = new FloatBuffer(length);
        _all.Add(buffer);
        return buffer;
    }

    public void Dispose()
    {
        foreach (var buffer in _all)
            buffer.Dispose();
    }
}

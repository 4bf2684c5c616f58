using System.Runtime.Intrinsics;

namespace TrainingService.Engine.Tests.Kernels;

/// <summary>Sends any number of floats through a function of 16 lanes.</summary>
internal static class Lanes
{
    public static float[] Map(Func<Vector512<float>, Vector512<float>> function, float[] x)
    {
        var padded = new float[(x.Length + 15) / 16 * 16];
        x.CopyTo(padded, 0);
        for (var i = 0; i < padded.Length; i += 16)
            function(Vector512.Create(padded, i)).CopyTo(padded, i);
        return padded[..x.Length];
    }
}

using System.Reflection;
using System.Runtime.Intrinsics;

namespace TrainingService.Engine.Training;

/// <summary>What computed a result, to be kept with it.</summary>
public static class EngineInfo
{
    /// <summary>Version of this assembly, with the commit where it is known.</summary>
    public static string Version { get; } =
        typeof(EngineInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary><c>avx512</c>, <c>avx2</c> or <c>scalar</c>.</summary>
    public static string InstructionSet => Vector512.IsHardwareAccelerated ? "avx512" : Vector256.IsHardwareAccelerated ? "avx2" : "scalar";
}

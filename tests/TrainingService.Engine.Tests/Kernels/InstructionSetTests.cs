using System.Diagnostics;
using System.Runtime.Intrinsics.X86;
using System.Text.RegularExpressions;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Tests.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Kernels;

/// <summary>
/// The kernels' other paths: this program runs its own kernel tests again in a child process whose runtime is told that the processor lacks an
/// instruction set. (Without AVX2 .NET leaves AVX-512 off too.)
/// </summary>
public partial class InstructionSetTests
{
    private const string ParentsWeights = "TRAINING_TESTS_WEIGHTS";

    [Theory, Trait("Category", "Slow")]
    [InlineData("DOTNET_EnableAVX512")]
    [InlineData("DOTNET_EnableAVX2")]
    public async Task Kernel_tests_pass_without(string instructionSet)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "TrainingService.Engine.Tests" + (OperatingSystem.IsWindows() ? ".exe" : "")))
        {
            ArgumentList = { "-trait", "Category=Kernel", "-noColor" },
            Environment = { [instructionSet] = "0", [ParentsWeights] = Weights() },
            RedirectStandardOutput = true,
        };
        using var child = Process.Start(start)!;
        var output = await child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(child.ExitCode == 0, output);
        Assert.True(int.Parse(Total().Match(output).Groups[1].Value) > 100, output);
    }

    [Fact, Trait("Category", "Kernel")]
    public void The_runtime_heeds_the_switches()
    {
        if (Environment.GetEnvironmentVariable("DOTNET_EnableAVX512") == "0")
            Assert.False(Avx512F.IsSupported);
        if (Environment.GetEnvironmentVariable("DOTNET_EnableAVX2") == "0")
            Assert.False(Avx2.IsSupported || Avx512F.IsSupported);
    }

    [Fact, Trait("Category", "Kernel")]
    public void Every_instruction_set_trains_the_same_bits()
    {
        if (Environment.GetEnvironmentVariable(ParentsWeights) is { Length: > 0 } expected)
            Assert.Equal(expected, Weights());
    }

    /// <summary>Hashes of a short run with each activation.</summary>
    private static string Weights() => string.Join(' ', ActivationRegistry.All.Select(a =>
        Runs.Train(Runs.Blobs(), new() { HiddenLayers = [33, 17], Activation = new() { Name = a.Name }, Dropout = 0.1 }).Result.WeightsSha256));

    [GeneratedRegex(@"Total: (\d+)")]
    private static partial Regex Total();
}

using System.Diagnostics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Text.RegularExpressions;
using TrainingService.Engine.Tests.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Kernels;

/// <summary>
/// The kernels' other paths: this program runs its own kernel tests again in a child process whose runtime is told that the
/// processor lacks an instruction set, or all of them. (Without AVX2 .NET leaves AVX-512 off too.) The child also compares whole
/// runs with this process's, bit for bit.
/// </summary>
public partial class InstructionSetTests
{
    [Theory, Trait("Category", "Slow")]
    [InlineData("DOTNET_EnableAVX512")]
    [InlineData("DOTNET_EnableAVX2")]
    [InlineData("DOTNET_EnableHWIntrinsic")]
    public Task Kernel_tests_pass_without(string instructionSet) => Run(100, instructionSet, "-trait", "Category=Kernel");

    [Fact]
    public Task Another_process_gets_the_same_bits() =>
        Run(1, null, "-method",
            $"{typeof(DeterminismTests).FullName}.{nameof(DeterminismTests.This_process_has_the_hashes_of_the_one_that_started_it)}");

    private static async Task Run(int atLeast, string? without, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory,
            "TrainingService.Engine.Tests" + (OperatingSystem.IsWindows() ? ".exe" : "")),
            [.. arguments, "-noColor"])
        {
            Environment = { [DeterminismTests.Expected] = DeterminismTests.Hashes() },
            RedirectStandardOutput = true,
        };
        if (without is not null)
            start.Environment[without] = "0";
        using var child = Process.Start(start)!;
        var output = await child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(child.ExitCode == 0, output);
        Assert.True(int.Parse(Total().Match(output).Groups[1].Value) >= atLeast, output);
    }

    [Fact, Trait("Category", "Kernel")]
    public void The_runtime_heeds_the_switches()
    {
        if (Environment.GetEnvironmentVariable("DOTNET_EnableAVX512") == "0")
            Assert.False(Avx512F.IsSupported);
        if (Environment.GetEnvironmentVariable("DOTNET_EnableAVX2") == "0")
            Assert.False(Avx2.IsSupported || Avx512F.IsSupported);
        if (Environment.GetEnvironmentVariable("DOTNET_EnableHWIntrinsic") == "0")
            Assert.False(Vector128.IsHardwareAccelerated || Avx2.IsSupported || Avx512F.IsSupported);
    }

    [GeneratedRegex(@"Total: (\d+)")]
    private static partial Regex Total();
}

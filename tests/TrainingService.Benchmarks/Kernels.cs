using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Running;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Kernels;
using TrainingService.Engine.Memory;

namespace TrainingService.Benchmarks;

internal static class Kernels
{
    public static int Run(string[] args)
    {
        BenchmarkSwitcher.FromTypes([typeof(Products), typeof(ElementWise)]).Run(args);
        return 0;
    }
}

/// <summary>The three products of a layer of 512 x 512 on 128 samples, 67 MFLOP each.</summary>
public unsafe class Products
{
    private const int Width = 512, Blocks = 4;
    private FloatBuffer _weights = null!, _bias = null!, _input = null!, _output = null!, _panels = null!, _tile = null!;

    [GlobalSetup]
    public void Allocate()
    {
        (_weights, _bias, _input) = (new(Width * Width), new(Width), new(Width * Blocks * 32));
        (_output, _panels, _tile) = (new(Width * Blocks * 32), new(Width * Blocks * 32), new(Tile.LargestRows * 32));
    }

    [Benchmark]
    public void Forward() => MatrixProduct.Forward(_weights.All, _bias.All, _input.All, _output.All, Width, Width, 0, Blocks);

    [Benchmark]
    public void InputGradient() => MatrixProduct.InputGradient(_weights.All, _output.All, _input.All, Width, Width, 0, Blocks);

    [Benchmark]
    public void WeightGradient()
    {
        for (var q = 0; q < Width / 32; q++)
            for (var n = 0; n < Width;)
                n += MatrixProduct.WeightGradient(_output.All, _panels.All + q * Blocks * 1024L, _tile.All, n, Width, Width, Blocks);
    }

    [Benchmark]
    public void ToPanels() => Transpose.BlocksToPanels(_input.All, _panels.All, Width, Blocks, 0, Blocks);
}

/// <summary>Activations on 512 units x 128 samples.</summary>
public unsafe class ElementWise
{
    private const int Units = 512, Blocks = 4;
    private FloatBuffer _z = null!, _h = null!, _g = null!;
    private Activation _activation = null!;

    [ParamsSource(nameof(Names))]
    public string Name { get; set; } = "relu";

    public static IEnumerable<string> Names => ActivationRegistry.All.Select(a => a.Name).Where(n => n != "prelu");

    [GlobalSetup]
    public void Allocate()
    {
        (_z, _h, _g) = (new(Units * Blocks * 32), new(Units * Blocks * 32), new(Units * Blocks * 32));
        for (var i = 0; i < _z.Length; i++)
            _z.All[i] = i % 97 / 16f - 3;
        _activation = ActivationRegistry.Standard(Name).Bind();
    }

    [Benchmark]
    public void Forward() => _activation.Forward(_z.All, _h.All, Units, 0, Blocks, null, 0, 1);

    [Benchmark]
    public void Backward() => _activation.Backward(_z.All, _h.All, _g.All, Units, Blocks * 32, 0, Units, null, 0, null, 1, 0);
}

using TrainingService.Engine.Initializers;
using TrainingService.Engine.Kernels;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Optimizers;

namespace TrainingService.Engine.Layers;

/// <summary>z = W x + b.</summary>
internal sealed unsafe class Linear : Layer
{
    private readonly Action<int, int> _forward, _transpose, _biasGradient, _inputGradient, _weightGradient;
    private readonly StepNorms[] _panelNorms;
    private readonly bool _large;
    private readonly int _index;
    private float* _input, _panels;

    public Linear(LinearPlan plan, Workspace workspace, int index) : base(workspace, plan.Units)
    {
        Plan = plan;
        Weight = Layers.Parameters.Matrix("weight", plan.Units, plan.Inputs, workspace);
        Bias = Layers.Parameters.Vector("bias", plan.Units, workspace);
        Parameters = [Weight, Bias];
        _index = index;
        Initializer.Fill(plan.Initializer, plan.BiasInitializer, plan.Fans,
            workspace.Seed, index, Weight.Numbers, Bias.Numbers, workspace.Cancellation);
        _large = Weight.Length * sizeof(float) * (1 + workspace.States) > MatrixProduct.SecondLevelCache / 2;
        _panelNorms = new StepNorms[Layout.Tiles(plan.Inputs)];
        // made once: a step allocates nothing
        _forward = Forward;
        _transpose = Transpose;
        _biasGradient = BiasGradient;
        _inputGradient = InputGradient;
        _weightGradient = WeightGradient;
    }

    public LinearPlan Plan { get; }

    public Parameters Weight { get; }

    public Parameters Bias { get; }

    public override IReadOnlyList<Parameters> Parameters { get; }

    /// <summary>Draws other weights and biases from the same distributions.</summary>
    public void Redraw(long seed) => Initializer.FillQuickly(
        Plan.Initializer, Plan.BiasInitializer, Plan.Fans, seed, _index, Weight.Numbers, Bias.Numbers, Workspace.Cancellation);

    public override void Forward(float* input)
    {
        _input = input;
        Workspace.Team.Split(Workspace.Blocks, _forward);
        Workspace.AfterLinear?.Invoke(this);
    }

    /// <summary>z of the last batch once more, its weights having changed.</summary>
    public void ForwardAgain() => Workspace.Team.Split(Workspace.Blocks, _forward);

    public override void Backward(float* input, bool wanted)
    {
        _input = input;
        Observe();
        if (wanted)
            Workspace.Team.Split(Workspace.Blocks, _inputGradient);
        if (Workspace.Optimizer is not null)
        {
            // the data's rows came as panels already
            _panels = Workspace.InputPanels;
            if (input != Workspace.Input)
            {
                _panels = Workspace.Panels(Plan.Inputs);
                Workspace.Team.Split(Workspace.Blocks, _transpose);
            }
            Workspace.Team.Split(_panelNorms.Length, _weightGradient);
            // summed in order, whoever computed them
            Weight.Norms = default;
            foreach (var norms in _panelNorms)
                Weight.Norms.Add(norms);
            Workspace.Team.Split(Units, _biasGradient);
            Update(Bias);
        }
        if (wanted)
            Workspace.Swap();
    }

    // A few blocks at a time, so that a cancelled run ends soon however large its batch is.
    private const int BlocksAtATime = 64;

    private void Forward(int from, int to)
    {
        for (; from < to && !Workspace.Cancellation.IsCancellationRequested; from += BlocksAtATime)
            MatrixProduct.Forward(Weight.Values, Bias.Values, _input, Output, Plan.Inputs, Units, from, Math.Min(from + BlocksAtATime, to));
    }

    private void InputGradient(int from, int to)
    {
        for (; from < to && !Workspace.Cancellation.IsCancellationRequested; from += BlocksAtATime)
            MatrixProduct.InputGradient(
                Weight.Values, Gradient, Workspace.Next(Plan.Inputs), Plan.Inputs, Units, from, Math.Min(from + BlocksAtATime, to));
    }

    private void Transpose(int from, int to) => Kernels.Transpose.BlocksToPanels(_input, _panels, Plan.Inputs, Workspace.Blocks, from, to);

    private void BiasGradient(int from, int to) => Reduction.SumSamples(Gradient, Bias.Gradient, Units, Workspace.Blocks, from, to);

    /// <summary>Panels of the weight gradient, a tile at a time, each handed to the optimiser while it is in the cache.</summary>
    private void WeightGradient(int from, int to)
    {
        if (Workspace.Optimizer is not { } optimizer)
            return;
        var memory = stackalloc float[Tile.LargestRows * 32 + 16];
        var tile = (float*)(((nint)memory + 63) & ~63);
        for (var q = from; q < to && !Workspace.Cancellation.IsCancellationRequested; q++)
        {
            var norms = default(StepNorms);
            var columns = Plan.Inputs - q * 32;
            for (var n = 0; n < Units;)
            {
                var at = ((long)q * Units + n) * 32;
                var target = Workspace.StoresGradients ? Weight.GradientAt(at, 32) : tile;
                var ahead = _large ? Weight.Ahead(at, Tile.MaxRows * 32, Workspace.Blocks * 32) : default;
                var rows = MatrixProduct.WeightGradient(
                    Gradient, _panels + (long)q * Workspace.Blocks * 1024, target,
                    n, Units, columns, Workspace.Blocks, _large ? &ahead : null);
                if (!Workspace.StoresGradients)
                    Weight.Update(optimizer, tile, at, rows * 32, Workspace.Measured, ref norms, half: columns <= 16);
                n += rows;
            }
            _panelNorms[q] = norms;
        }
    }
}

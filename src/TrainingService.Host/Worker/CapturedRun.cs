using TrainingService.Engine.Training;
using TrainingService.Host.Models;

namespace TrainingService.Host.Worker;

/// <summary>A run's state at the end of a step, on its way into the database.</summary>
/// <param name="State">As the engine captured it.</param>
/// <param name="Step">Steps done.</param>
/// <param name="Epoch">Epochs finished.</param>
/// <param name="Rows">Rows that were measured by then.</param>
/// <param name="Entered">What had entered the writer of metrics by then: all of it is stored no later than this.</param>
/// <param name="Times">What the run had taken.</param>
public sealed record CapturedRun(byte[] State, long Step, int Epoch, long Rows, long Entered, TrainingTimes Times)
{
    /// <summary>The state, deflated when it is first asked for: not on the training thread.</summary>
    public IReadOnlyList<byte[]> Chunks => field ??= Deflated.Pack(State);
}

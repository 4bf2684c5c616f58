using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;

namespace TrainingService.Engine.Prediction;

/// <summary>
/// Rectifier nets that are dead before they are trained: one of their layers has z &lt;= 0 in all units, so that their output no longer
/// depends on the input (Lu, Shin, Su &amp; Karniadakis 2019, Dying ReLU and initialization).
/// </summary>
public static unsafe class BornDead
{
    /// <summary>
    /// Exact for one input, symmetric weights and zero biases: 1 - (1 - 2^-N)^(L - 1). In a layer that is reached, each of N
    /// units is off with probability 1/2.
    /// </summary>
    /// <param name="width">N, units of each hidden layer, at least 1.</param>
    /// <param name="depth">L, layers with weights: L - 1 hidden ones and the output; at least 1.</param>
    public static double Probability(int width, int depth)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(depth, 1);
        return 1 - Math.Pow(1 - Math.Pow(2, -width), depth - 1);
    }

    /// <summary>
    /// Counts dead ones among nets that are drawn as a job's would be (kaiming_normal, zero biases; net i by seed
    /// <paramref name="seed"/> + i), at the input 1. A net is drawn to the largest depth, or until it dies, and is a net of each smaller
    /// depth as well: the counts of one call stray together.
    /// </summary>
    /// <param name="width">N, units of each hidden layer, at least 1.</param>
    /// <param name="depth">The largest L, at least 1.</param>
    /// <param name="nets">How many are drawn, at least 1.</param>
    /// <param name="seed">Of the first net.</param>
    /// <param name="cancellation">Looked at once a row of weights.</param>
    /// <returns>Dead nets by depth: entry L, from 0 to <paramref name="depth"/>, is the number of those of depth L.</returns>
    public static int[] Count(int width, int depth, int nets, long seed, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(depth, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(nets, 1);
        var died = new int[depth];
        Initializer weights = InitializerRegistry.Standard("kaiming_normal"), biases = InitializerRegistry.Standard("zeros");
        var rectifier = ActivationRegistry.Standard("relu");
        float[] weight = new float[width * width], bias = new float[width], signal = new float[width], sums = new float[width];
        for (var net = 0; net < nets; net++)
        {
            cancellation.ThrowIfCancellationRequested();
            signal[0] = 1;
            for (var hidden = 1; hidden < depth; hidden++)
            {
                var inputs = hidden == 1 ? 1 : width;
                fixed (float* w = weight, b = bias)
                    Initializer.Fill(weights, biases, new(inputs, width, rectifier), seed + net, hidden - 1,
                        new(w, width, inputs, panels: false), new(b, 1, width, panels: false), cancellation);
                if (Layer(weight, bias, signal, sums, inputs))
                {
                    (signal, sums) = (sums, signal);
                    continue;
                }
                died[hidden]++;
                break;
            }
        }
        // dead in hidden layer k: dead as a net of depth k + 1 and of all larger ones
        var dead = new int[depth + 1];
        for (var l = 1; l <= depth; l++)
            dead[l] = dead[l - 1] + died[l - 1];
        return dead;
    }

    /// <summary>max(0, W x + b); false if that is 0 everywhere.</summary>
    private static bool Layer(float[] weight, float[] bias, float[] x, float[] h, int inputs)
    {
        var alive = false;
        for (var unit = 0; unit < h.Length; unit++)
        {
            var z = bias[unit];
            for (var i = 0; i < inputs; i++)
                z = MathF.FusedMultiplyAdd(weight[unit * inputs + i], x[i], z);
            h[unit] = MathF.Max(0, z);
            alive |= z > 0;
        }
        return alive;
    }
}

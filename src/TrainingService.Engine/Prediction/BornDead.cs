using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Randomness;

namespace TrainingService.Engine.Prediction;

/// <summary>
/// Rectifier nets that are dead before they are trained: their output does not depend on the input (Lu, Shin, Su &amp; Karniadakis 2019,
/// Dying ReLU and initialization, definition 3.1). With one input and zero biases a net has two signals, those of x = 1 and of x = -1,
/// and every other is a multiple of one of them: it is dead if both are 0 behind some hidden layer.
/// </summary>
public static unsafe class BornDead
{
    private const int Angles = 33, Draws = 20_000;

    /// <summary>
    /// 1 - (1 - 2^-N)^(L - 1), the probability that the signal of one sign of the input is lost: an upper bound of the probability that
    /// the net is dead (Lu et al. 2019, theorem 3.3), for symmetric weights and zero biases.
    /// </summary>
    /// <param name="width">N, units of each hidden layer, at least 1.</param>
    /// <param name="depth">L, layers with weights: L - 1 hidden ones and the output; at least 1.</param>
    public static double Bound(int width, int depth)
    {
        Check(width, depth);
        return 1 - Math.Pow(1 - Math.Pow(2, -width), depth - 1);
    }

    /// <summary>
    /// The probability that a net of normal weights and zero biases is dead, computed: 1 - 2 a + b, a the probability that the signal of
    /// x = 1 reaches the output, b that both do.
    /// </summary>
    /// <remarks>
    /// Behind the first layer no unit has both signals, so that the angle between them is a right one. Behind each further one the
    /// angle is a random function of the one before: N pairs of normal numbers with its cosine as correlation, cut at 0. Of such a pair
    /// both are &lt;= 0 with probability (pi - angle) / 2 pi (Sheppard 1899), whence both signals outlive a layer with probability
    /// 1 - 2^(1-N) + ((pi - angle) / 2 pi)^N. How the angle moves has no closed form for more than two units: it is drawn
    /// 20,000 times from each of 33 angles, the same numbers for all, which leaves an error of about 0.001.
    /// </remarks>
    /// <param name="width">N, units of each hidden layer, at least 1.</param>
    /// <param name="depth">The largest L, at least 1.</param>
    /// <param name="cancellation">Looked at once an angle.</param>
    /// <returns>Entry L, from 0 to <paramref name="depth"/>, is the probability for depth L.</returns>
    public static double[] Probabilities(int width, int depth, CancellationToken cancellation = default)
    {
        Check(width, depth);
        var moves = Moves(width, cancellation);
        // reach[i]: both signals outlive as many further layers, from angle i on
        var reach = Enumerable.Repeat(1.0, Angles).ToArray();
        var dead = new double[depth + 1];
        for (var hidden = 1; hidden < depth; hidden++)
        {
            var both = (1 - Math.Pow(2, 1 - width)) * reach[^1];
            dead[hidden + 1] = Math.Max(0, 1 - 2 * Math.Pow(1 - Math.Pow(2, -width), hidden) + both);
            reach = [.. Enumerable.Range(0, Angles).Select(from => (1 - Math.Pow(2, 1 - width)
                + Math.Pow((Math.PI - Angle(from)) / (2 * Math.PI), width)) * moves[from].Zip(reach, (p, r) => p * r).Sum())];
        }
        return dead;
    }

    /// <summary>
    /// Counts dead ones among nets that are drawn as a job's would be (kaiming_normal, zero biases; net i by seed
    /// <paramref name="seed"/> + i), at the inputs 1 and -1. A net is drawn to the largest depth, or until it dies, and is a net of each
    /// smaller depth as well: the counts of one call stray together.
    /// </summary>
    /// <param name="width">N, units of each hidden layer, at least 1.</param>
    /// <param name="depth">The largest L, at least 1.</param>
    /// <param name="nets">How many are drawn, at least 1.</param>
    /// <param name="seed">Of the first net.</param>
    /// <param name="cancellation">Looked at once a row of weights.</param>
    /// <returns>Dead nets by depth: entry L, from 0 to <paramref name="depth"/>, is the number of those of depth L.</returns>
    public static int[] Count(int width, int depth, int nets, long seed, CancellationToken cancellation = default)
    {
        Check(width, depth);
        ArgumentOutOfRangeException.ThrowIfLessThan(nets, 1);
        var died = new int[depth];
        Initializer weights = InitializerRegistry.Standard("kaiming_normal"), biases = InitializerRegistry.Standard("zeros");
        var rectifier = ActivationRegistry.Standard("relu");
        float[] weight = new float[width * width], bias = new float[width], sums = new float[width];
        float[] plus = new float[width], minus = new float[width];
        for (var net = 0; net < nets; net++)
        {
            cancellation.ThrowIfCancellationRequested();
            (plus[0], minus[0]) = (1, -1);
            for (var hidden = 1; hidden < depth; hidden++)
            {
                var inputs = hidden == 1 ? 1 : width;
                fixed (float* w = weight, b = bias)
                    Initializer.Fill(weights, biases, new(inputs, width, rectifier), seed + net, hidden - 1,
                        new(w, width, inputs, panels: false), new(b, 1, width, panels: false), cancellation);
                var alive = Layer(weight, bias, ref plus, ref sums, inputs);
                alive |= Layer(weight, bias, ref minus, ref sums, inputs);
                if (alive)
                    continue;
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

    /// <summary>From 0 to a right angle: what lies between two signals without a negative number.</summary>
    private static double Angle(int index) => index * Math.PI / 2 / (Angles - 1);

    /// <summary>Row i: where the angle between both signals, if both live, goes from angle i within one layer.</summary>
    private static double[][] Moves(int width, CancellationToken cancellation)
    {
        var random = new RandomStream(width, StreamPurpose.Structure, 0);
        var normals = new (double First, double Second)[Draws * width];
        foreach (ref var pair in normals.AsSpan())
            pair = random.Normals();
        var moves = new double[Angles][];
        for (var from = 0; from < Angles; from++)
        {
            cancellation.ThrowIfCancellationRequested();
            var (cosine, sine) = (Math.Cos(Angle(from)), Math.Sin(Angle(from)));
            var row = moves[from] = new double[Angles];
            var both = 0;
            for (var draw = 0; draw < Draws; draw++)
            {
                double plus = 0, minus = 0, product = 0;
                foreach (var (first, second) in normals.AsSpan(draw * width, width))
                {
                    double u = Math.Max(0, first), v = Math.Max(0, cosine * first + sine * second);
                    plus += u * u;
                    minus += v * v;
                    product += u * v;
                }
                if (plus == 0 || minus == 0)
                    continue;
                both++;
                var to = Math.Acos(Math.Min(1, product / Math.Sqrt(plus * minus))) / Angle(1);
                var index = Math.Min((int)to, Angles - 2);
                row[index] += index + 1 - to;
                row[index + 1] += to - index;
            }
            for (var to = 0; to < Angles; to++)
                row[to] /= both;
        }
        return moves;
    }

    /// <summary>h = max(0, W x + b) in the place of x; false if that is 0 everywhere.</summary>
    private static bool Layer(float[] weight, float[] bias, ref float[] x, ref float[] h, int inputs)
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
        (x, h) = (h, x);
        return alive;
    }

    private static void Check(int width, int depth)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(depth, 1);
    }
}

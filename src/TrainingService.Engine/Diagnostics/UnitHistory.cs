using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Memory;

namespace TrainingService.Engine.Diagnostics;

/// <summary>
/// The lives of one layer's units: "dead" are those that are off on every row, also where the activation still passes a gradient.
/// What killed a unit is told only where units die (<see cref="Activations.Activation.DiesWhenOff"/>): of each step between two
/// evaluations it then takes the gradient by the bias, a number per unit; why that suffices stands with <see cref="Death"/>.
/// </summary>
internal sealed unsafe class UnitHistory(int units)
{
    private const int None = -1;

    private readonly bool[] _bornDead = new bool[units], _dead = new bool[units], _everDead = new bool[units];
    private readonly long[] _diedAt = Filled(units, (long)None), _revivedAt = Filled(units, (long)None);
    private readonly Dictionary<int, Death> _deaths = [];

    // as the last look found them, on all rows or on some
    private readonly bool[] _off = new bool[units];

    // at the last evaluation
    private readonly float[] _highest = new float[units], _bias = new float[units];
    private long _evaluated = None;

    // of the gradients by the bias since then, steps being counted from there; pinned, since every step comes by
    private readonly float[] _sum = Pinned<float>(units), _squares = Pinned<float>(units), _largest = Pinned<float>(units);
    private readonly int[] _largestStep = Pinned<int>(units), _activeStep = Pinned<int>(units);

    /// <summary>Whether the last look found a unit dead.</summary>
    public bool IsOff(int unit) => _off[unit];

    /// <summary>
    /// By the last look: units that are dead and were at step 0; that are dead and were not; that are alive and were dead once.
    /// </summary>
    public (int BornDead, int Died, int Revived) Counts
    {
        get
        {
            var (born, died, revived) = (0, 0, 0);
            for (var n = 0; n < units; n++)
                if (_off[n])
                    (born, died) = _bornDead[n] ? (born + 1, died) : (born, died + 1);
                else if (_everDead[n])
                    revived++;
            return (born, died, revived);
        }
    }

    /// <summary>Takes the step's gradient by the bias, padded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Follow(long step, float* biasGradient)
    {
        var now = Vector512.Create((int)Math.Min(step - _evaluated, int.MaxValue));
        float* sum = Pointer(_sum), squares = Pointer(_squares), largest = Pointer(_largest);
        int* largestStep = Pointer(_largestStep), activeStep = Pointer(_activeStep);
        for (var i = 0; i < units; i += 16)
        {
            var g = Vector512.Load(biasGradient + i);
            var most = Vector512.Load(largest + i);
            var larger = Vector512.GreaterThan(g, most);
            (Vector512.Load(sum + i) + g).Store(sum + i);
            Vector512.FusedMultiplyAdd(g, g, Vector512.Load(squares + i)).Store(squares + i);
            Vector512.ConditionalSelect(larger, g, most).Store(largest + i);
            Vector512.ConditionalSelect(larger.AsInt32(), now, Vector512.Load(largestStep + i)).Store(largestStep + i);
            // a unit that no row activates has no gradient
            Vector512.ConditionalSelect(Vector512.Equals(g, Vector512<float>.Zero).AsInt32(), Vector512.Load(activeStep + i), now)
                .Store(activeStep + i);
        }
    }

    /// <summary>
    /// Takes an evaluation: per unit the rows with z &gt; 0, and where units die the largest z and the bias, else empty ones.
    /// </summary>
    public void Evaluate(long step, ReadOnlySpan<int> active, ReadOnlySpan<float> highest, ReadOnlySpan<float> bias)
    {
        for (var n = 0; n < units; n++)
        {
            var dead = active[n] == 0;
            if (_evaluated == None)
            {
                _bornDead[n] = dead;
            }
            else if (dead && !_dead[n])
            {
                _diedAt[n] = step;
                if (!highest.IsEmpty)
                    _deaths[n] = DeathOf(n, step, highest[n], bias[n]);
            }
            else if (!dead && _dead[n])
            {
                _revivedAt[n] = step;
            }
            _off[n] = _dead[n] = dead;
            _everDead[n] |= dead;
        }
        _evaluated = step;
        if (highest.IsEmpty)
            return;
        highest[..units].CopyTo(_highest);
        bias[..units].CopyTo(_bias);
        foreach (var sums in (Array[])[_sum, _squares, _largest, _largestStep, _activeStep])
            Array.Clear(sums);
    }

    /// <summary>
    /// Takes a look at some of the rows only: who is on there lives. Who is not is dead if it was before, or where units die if no step
    /// of the last epoch, which brings all rows, has brought it a gradient. When and of what it died is for an evaluation to say.
    /// </summary>
    /// <param name="step">Of the run.</param>
    /// <param name="active">Per unit the rows with z &gt; 0.</param>
    /// <param name="epoch">Steps of one; null where units don't die.</param>
    public void Glance(long step, ReadOnlySpan<int> active, long? epoch)
    {
        for (var n = 0; n < units; n++)
        {
            if (active[n] > 0 && _dead[n])
                (_dead[n], _revivedAt[n]) = (false, step);
            _off[n] = active[n] == 0 && (_dead[n] || step - (_evaluated + _activeStep[n]) >= epoch);
        }
    }

    private Death DeathOf(int n, long step, float highest, float bias)
    {
        double largest = _largest[n], others = Math.Sqrt(Math.Max(0, _squares[n] - largest * largest) / Math.Max(1, step - _evaluated - 1));
        double fall = (double)_highest[n] - highest, biasFall = (double)_bias[n] - bias;
        var cause = largest > 0 && largest >= 0.5 * _sum[n] && largest >= 4 * others ? DeathCause.OneOversizedUpdate
            : biasFall >= 0.5 * fall ? DeathCause.BiasDrift
            : DeathCause.Weights;
        return new(cause, _activeStep[n] == 0 ? null : _evaluated + _activeStep[n], _highest[n], highest, bias - _bias[n],
            largest > 0 ? _evaluated + _largestStep[n] : null, largest > 0 && _sum[n] > 0 ? (float)(largest / _sum[n]) : null);
    }

    /// <summary>A unit's life so far: dead at step 0, latest death and revival.</summary>
    public (bool Dead, bool BornDead, long? DiedAt, long? RevivedAt, Death? Death) this[int n] =>
        (_dead[n], _bornDead[n], _diedAt[n] == None ? null : _diedAt[n], _revivedAt[n] == None ? null : _revivedAt[n],
            _deaths.TryGetValue(n, out var death) ? death : null);

    /// <summary>Takes over the lives of another history of as many units.</summary>
    public void CopyFrom(UnitHistory other)
    {
        foreach (var (from, to) in other.State.Zip(State))
            Array.Copy(from, to, from.Length);
        _evaluated = other._evaluated;
        _deaths.Clear();
        foreach (var (unit, death) in other._deaths)
            _deaths.Add(unit, death);
    }

    public void Capture(BinaryWriter writer)
    {
        writer.Write(_evaluated);
        foreach (var numbers in State)
            writer.Write(Bytes(numbers));
        writer.Write(_deaths.Count);
        foreach (var (unit, d) in _deaths)
        {
            writer.Write(unit);
            writer.Write((byte)d.Cause);
            foreach (var step in (long?[])[d.LastActiveStep, d.LargestStep])
                writer.Write(step ?? None);
            foreach (var value in (float[])[d.HighestBefore, d.HighestAfter, d.BiasChange, d.LargestShare ?? float.NaN])
                writer.Write(value);
        }
    }

    public void Restore(BinaryReader reader)
    {
        _evaluated = reader.ReadInt64();
        foreach (var numbers in State)
            reader.BaseStream.ReadExactly(Bytes(numbers));
        _deaths.Clear();
        for (var count = reader.ReadInt32(); count > 0; count--)
        {
            var (unit, cause) = (reader.ReadInt32(), (DeathCause)reader.ReadByte());
            long active = reader.ReadInt64(), largest = reader.ReadInt64();
            float before = reader.ReadSingle(), after = reader.ReadSingle(), bias = reader.ReadSingle(), share = reader.ReadSingle();
            _deaths[unit] = new(cause, active == None ? null : active, before, after, bias, largest == None ? null : largest,
                float.IsNaN(share) ? null : share);
        }
    }

    private Array[] State =>
        [_bornDead, _dead, _everDead, _diedAt, _revivedAt, _highest, _bias, _sum, _squares, _largest, _largestStep, _activeStep];

    private static Span<byte> Bytes(Array numbers) =>
        MemoryMarshal.CreateSpan(ref MemoryMarshal.GetArrayDataReference(numbers), Buffer.ByteLength(numbers));

    private static T[] Pinned<T>(int count) => GC.AllocateArray<T>(Layout.Padded(count), pinned: true);

    private static T* Pointer<T>(T[] pinned) where T : unmanaged => (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));

    private static T[] Filled<T>(int count, T value)
    {
        var result = new T[count];
        Array.Fill(result, value);
        return result;
    }
}

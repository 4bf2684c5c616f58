using System.Text.Json;
using TrainingService.Engine.Diagnostics;
using TrainingService.Host.Http;

namespace TrainingService.Host.Metrics;

/// <summary>A row of <c>job_units</c>, primary key (job_id, layer): all units of one layer at the end of the run.</summary>
public sealed class UnitRow
{
    // their places are stored: new ones go to the end
    private static readonly UnitState[] States =
    [
        UnitState.Alive, UnitState.NonFinite, UnitState.BornDead, UnitState.Dead, UnitState.NegativeLocked, UnitState.Saturated,
        UnitState.NearDead, UnitState.Dormant,
    ];

    private static readonly DeathCause[] Causes = [DeathCause.OneOversizedUpdate, DeathCause.BiasDrift, DeathCause.Weights];

    private const int BornDead = 1, Died = 2, Revived = 4, WasActive = 8, HasLargest = 16, HasShare = 32;

    public Guid JobId { get; init; }
    public short Layer { get; init; }
    public required IReadOnlyList<UnitPoint> Units { get; init; }

    /// <summary>
    /// JSON: a string in base64, 10 bytes for most units (state, activity, mean |h|, which of the other fields follow), since every run
    /// of a sweep leaves them. Versions before wrote an array of objects.
    /// </summary>
    public static string Write(IReadOnlyList<UnitPoint> units)
    {
        using var bytes = new MemoryStream(10 * units.Count);
        using var writer = new BinaryWriter(bytes);
        foreach (var unit in units)
        {
            writer.Write((byte)Array.IndexOf(States, unit.State));
            writer.Write(unit.Activity);
            writer.Write(unit.MeanAbsActivation);
            writer.Write((byte)((unit.BornDead ? BornDead : 0) | (unit.DiedAtStep is null || unit.Death is null ? 0 : Died)
                | (unit.RevivedAtStep is null ? 0 : Revived) | (unit.Death?.LastActiveStep is null ? 0 : WasActive)
                | (unit.Death?.LargestStep is null ? 0 : HasLargest) | (unit.Death?.LargestShare is null ? 0 : HasShare)));
            if (unit is { DiedAtStep: { } died, Death: { } death })
            {
                writer.Write(died);
                writer.Write((byte)Array.IndexOf(Causes, death.Cause));
                writer.Write(death.HighestBefore);
                writer.Write(death.HighestAfter);
                writer.Write(death.BiasChange);
            }
            if (unit.RevivedAtStep is { } revived)
                writer.Write(revived);
            if (unit.Death?.LastActiveStep is { } active)
                writer.Write(active);
            if (unit.Death?.LargestStep is { } largest)
                writer.Write(largest);
            if (unit.Death?.LargestShare is { } share)
                writer.Write(share);
        }
        writer.Flush();
        return $"\"{Convert.ToBase64String(bytes.GetBuffer().AsSpan(0, (int)bytes.Length))}\"";
    }

    /// <summary>What <see cref="Write"/>, or a version before, wrote.</summary>
    public static IReadOnlyList<UnitPoint> Read(string json)
    {
        if (json is ['[', ..])
            return JsonSerializer.Deserialize<IReadOnlyList<UnitPoint>>(json, Json.Measured) ?? [];
        using var reader = new BinaryReader(new MemoryStream(Convert.FromBase64String(json.Trim('"'))));
        var units = new List<UnitPoint>();
        while (reader.BaseStream.Position < reader.BaseStream.Length)
        {
            var unit = new UnitPoint(units.Count, States[reader.ReadByte()], reader.ReadSingle(), reader.ReadSingle(),
                false, null, null, null);
            var flags = reader.ReadByte();
            var death = default(Death);
            if ((flags & Died) != 0)
            {
                unit = unit with { DiedAtStep = reader.ReadInt64() };
                death = new(Causes[reader.ReadByte()], null, reader.ReadSingle(), reader.ReadSingle(), reader.ReadSingle(), null, null);
            }
            units.Add(unit with
            {
                BornDead = (flags & BornDead) != 0,
                RevivedAtStep = (flags & Revived) == 0 ? null : reader.ReadInt64(),
                Death = (flags & Died) == 0 ? null : death with
                {
                    LastActiveStep = (flags & WasActive) == 0 ? null : reader.ReadInt64(),
                    LargestStep = (flags & HasLargest) == 0 ? null : reader.ReadInt64(),
                    LargestShare = (flags & HasShare) == 0 ? null : reader.ReadSingle(),
                },
            });
        }
        return units;
    }
}

using System.Text.Json;
using TrainingService.Engine.Diagnostics;
using TrainingService.Host.Http;
using TrainingService.Host.Metrics;

namespace TrainingService.Host.Tests.Metrics;

public sealed class UnitRowTests
{
    public static TheoryData<UnitPoint> Lives
    {
        get
        {
            var lives = new TheoryData<UnitPoint>
            {
                new UnitPoint(0, UnitState.BornDead, 0, 0, true, null, null, null),
                new UnitPoint(0, UnitState.Alive, 0.25f, 1.5f, false, 300, 500,
                    new(DeathCause.BiasDrift, 290, 0.5f, -0.25f, -1, 280, 0.75f)),
                new UnitPoint(0, UnitState.Dead, 0, 0, false, 300, null, new(DeathCause.OneOversizedUpdate, null, 2, 0, 0, 250, 1.5f)),
                new UnitPoint(0, UnitState.Dead, 0, 0, true, 7_000_000_000, 100, new(DeathCause.Weights, 10, 2, -1, 0.125f, null, null)),
            };
            foreach (var state in Enum.GetValues<UnitState>())
                lives.Add(new UnitPoint(0, state, 0.1f, float.Epsilon, false, null, null, null));
            return lives;
        }
    }

    [Theory]
    [MemberData(nameof(Lives))]
    public void A_unit_is_read_as_it_was_written(UnitPoint unit)
    {
        var other = new UnitPoint(1, UnitState.Alive, 1, 2, false, null, null, null);
        Assert.Equal([unit, other], UnitRow.Read(UnitRow.Write([unit, other])));
        // as versions before wrote them, and Postgres gives them back
        Assert.Equal([unit, other], UnitRow.Read(JsonSerializer.Serialize<UnitPoint[]>([unit, other], Json.Options)));
        Assert.IsType<string>(JsonSerializer.Deserialize<string>(UnitRow.Write([unit, other])));
    }

    [Fact]
    public void A_layer_without_units_is_read_as_such() => Assert.Empty(UnitRow.Read(UnitRow.Write([])));

    [Fact]
    public void Most_units_take_ten_bytes() =>
        Assert.InRange(UnitRow.Write([.. Enumerable.Repeat(new UnitPoint(0, UnitState.Alive, 0.5f, 0.7f, false, null, null, null), 64)])
            .Length, 0, 64 * 10 * 4 / 3 + 6);
}

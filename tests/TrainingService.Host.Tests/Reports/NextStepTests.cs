using TrainingService.Host.Reports;
using TrainingService.Host.Statistics;
using TrainingService.Host.Tests.Studies;

namespace TrainingService.Host.Tests.Reports;

/// <summary>What a report proposes where something is open.</summary>
public sealed class NextStepTests
{
    private const string Main = "relu-vs-leaky-relu";

    [Fact]
    public void Where_all_is_decided_there_is_nothing_to_do() => Assert.Null(World.Read(Main,
        (arm, noise) => new(Test: (arm == "relu" ? 0.9 : 0.95) + 0.002 * noise)).Next);

    /// <summary>Differences of a point that stray by three: not enough seeds yet, and it is known how many are.</summary>
    [Fact]
    public void It_tells_how_many_seeds_would_decide_how_much_and_the_request()
    {
        var next = World.Read(Main, (arm, noise) => new(Test: 0.9 + (arm == "relu" ? 0 : 0.01) + 0.03 * noise), seeds: 16).Next!;
        Assert.InRange(next.MoreSeeds, 4, 7 * 16);
        Assert.InRange(next.Decides, 1, next.Open);
        Assert.StartsWith($"{(next.Open == 3 ? "All 3" : next.Open)} ", next.Sentence, StringComparison.Ordinal);
        Assert.Equal(("POST", $"/api/v1/studies/{Main}", 16 + next.MoreSeeds),
            (next.Request!.Method, next.Request.Path, next.Request.Body["seedCount"]));
        Sentences.MustBeReadable(next.Sentence);
    }

    /// <summary>More of what strays less is needed, and of what can't be told apart at all no number helps.</summary>
    [Fact]
    public void More_seeds_for_a_smaller_effect_and_none_for_what_they_can_not_decide()
    {
        var plan = World.Plan(Main, 16);
        ContrastResult Of(double mean, double sd) => Family.Judge([Contrast.Between("a", [.. Enumerable.Range(0, 16)
            .Select(i => 0.9 + mean + (i % 2 == 0 ? sd : -sd))], "b", [.. Enumerable.Repeat(0.9, 16)])], plan.By.Outcome, 0.001)[0];
        Assert.True(NextStep.Needed(plan, Of(0.01, 0.03), 3) > NextStep.Needed(plan, Of(0.02, 0.03), 3));
        Assert.Equal(int.MaxValue, NextStep.Needed(plan, Of(0.01, 0.03) with { BeyondSeeds = true }, 3));
        Assert.True(NextStep.Needed(plan, Of(0.02, 0.03), 3) > 16);
    }

    [Fact]
    public void The_request_can_be_pasted() => Assert.Equal(
        """curl -X POST 'http://h/api/v1/x' -H 'Content-Type: application/json' -d '{"name":"it'\''s"}'""",
        new NextRequest("POST", "/api/v1/x", new Dictionary<string, object?> { ["name"] = "it's" }).AsCurl("http://h"));
}

using TrainingService.Host.Reports;
using TrainingService.Host.Studies;
using TrainingService.Host.Tests.Studies;

namespace TrainingService.Host.Tests.Reports;

/// <summary>
/// The whole text of every study's report in worlds that differ as much as can be: decided, open, diverged, at chance, without a seed that
/// tells. (Each world of the other tests is held against <see cref="Sentences"/>, too.)
/// </summary>
public sealed class ReadableReportTests
{
    public static TheoryData<string> Studies => [.. StudyCatalog.All.Select(study => study.Name)];

    private static readonly Func<string, double, Run>[] Worlds =
    [
        (_, noise) => new(Test: 0.9 + 0.002 * noise),
        (arm, noise) => new(Test: 0.9 - 0.01 * (arm.Length % 5) + 0.01 * noise, Off: Math.Clamp(0.1 + 0.05 * noise, 0, 1),
            Sparsity: Math.Clamp(0.4 + 0.03 * arm.Length + 0.01 * noise, 0, 1), Slope: 0.2, EpochSeconds: 0.003 * (1 + arm.Length / 10.0)),
        (arm, noise) => new(Test: 0.9 + 0.03 * noise, Diverged: arm.Length % 2 == 0 && noise > 0, Sparsity: 0.88 + 0.01 * noise),
        (arm, noise) => new(Test: 0.1, Train: arm.Length % 3 == 0 ? 0.1 : 0.95, Diverged: noise > 0.5,
            EpochSeconds: 0.003 * Math.Exp(noise)),
        (_, _) => new(),
        (_, _) => new(Diverged: true),
    ];

    [Theory]
    [MemberData(nameof(Studies))]
    public void No_sentence_is_longer_than_forty_words(string study)
    {
        foreach (var world in Worlds)
            foreach (var seeds in (int[])[3, 24])
            {
                var report = World.Read(study, world, seeds: seeds, rows: seeds == 3 ? null : World.Digits);
                var curves = report.Arms.Select(_ => SampleReport.Curves(1)[0]).ToList();
                foreach (var text in ReportContent.Of(report, curves).SelectMany(section => section.Blocks).SelectMany(Texts))
                    Sentences.MustBeReadable(text);
                Sentences.MustBeReadable(ReportContent.Title(report));
                Assert.InRange(report.Headline.Sentence.Split(". ").Length, 1, 1);
                Assert.EndsWith(".", report.Headline.Sentence, StringComparison.Ordinal);
            }
    }

    private static IEnumerable<string> Texts(Block block) => block switch
    {
        Paragraph paragraph => [paragraph.Text],
        Lead lead => [lead.Headline.Sentence],
        Setup setup => setup.Parts,
        Next next => [next.Text],
        Bullets bullets => bullets.Items,
        Forest forest => [forest.Axis, forest.Note ?? "", .. forest.Rows.Select(row => row.Figures)],
        Figure figure => [figure.Title, figure.Text ?? "", .. figure.Charts.SelectMany(chart => new[] { chart.Title, chart.Note ?? "" })],
        Table table => [table.Caption, .. table.Columns, .. table.Rows.SelectMany(row => row.Cells.Select(cell => cell.Text)
            .Append(row.Below ?? ""))],
        _ => [],
    };
}

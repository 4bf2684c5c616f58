using TrainingService.Engine.Specs;
using TrainingService.Host.Datasets;
using TrainingService.Host.Tables;

namespace TrainingService.Host.Uploads;

/// <summary>Which rows of a new data set are only for the test.</summary>
internal sealed record TestRows(bool[] IsTest, SplitRule Rule, int Count, double? Fraction, bool Stratified)
{
    /// <summary>The same for all data sets.</summary>
    private const long SplitSeed = 3001;

    /// <exception cref="TableException">If no split leaves rows of every class to learn from.</exception>
    public static TestRows Of(TablePlan plan, TableEncoder encoded)
    {
        var rows = (int)plan.Profile.Rows;
        var classes = encoded.Labels.Length > 0 ? plan.Target?.Categories ?? [] : [];
        var stratified = classes.Count > 0 && plan.Options.Stratify != false;
        TestRows split;
        if (encoded.TestRows.Length > 0)
        {
            split = new(encoded.TestRows, SplitRule.TestFile, (int)plan.Profile.TestRows, null, false);
            if (split.Count == rows)
                throw new TableException("there are no rows to train on: 'file' has none with a target");
            split.CheckGroups(encoded.Groups);
        }
        else
        {
            var fraction = plan.Options.TestFraction ?? UploadFields.DefaultTestFraction;
            var count = DatasetRegistry.HeldOutRows(rows, fraction, Math.Max(1, classes.Count));
            if (count == 0)
                throw new TableException($"{rows:N0} {(rows == 1 ? "row is" : "rows are")} too few: at least one must be left for the test "
                    + $"and {(classes.Count == 0 ? "one" : "one of each class")} to learn from");
            var isTest = new bool[rows];
            var held = 0;
            foreach (var row in Held(encoded, rows, count, stratified ? encoded.Labels : []))
                (isTest[row], held) = (true, held + 1);
            if (held == 0)
                throw new TableException($"no group can be held out for the test: each of '{plan.Group?.Name}' has all rows of a class. "
                    + "Group by another column, or bring a testFile", "/groupBy");
            split = new(isTest, plan.Time is null ? SplitRule.Drawn : SplitRule.Latest, held, fraction, stratified && plan.Time is null);
        }
        split.CheckClasses(classes, encoded.Labels);
        return split;
    }

    private static IEnumerable<int> Held(TableEncoder encoded, int rows, int count, ushort[] labels) =>
        encoded.Times.Length > 0 ? HeldOut.Latest(encoded.Times, [.. Enumerable.Range(0, rows)], count).Held
        : encoded.Groups.Length > 0 ? HeldOut.Groups(encoded.Groups, Array.ConvertAll(labels, label => (int)label),
            [.. Enumerable.Range(0, rows)], count, SplitSeed).Held
        : StratifiedOrder.First(count, rows, labels, SplitSeed);

    /// <summary>A file of test rows is taken as it is, so it must not hold rows of groups that are trained on.</summary>
    private void CheckGroups(int[] groups)
    {
        var trained = groups.Where((_, row) => !IsTest[row]).ToHashSet();
        var both = groups.Where((group, row) => IsTest[row] && trained.Contains(group)).ToHashSet().Count;
        if (both > 0)
            throw new TableException($"{both:N0} {(both == 1 ? "group has" : "groups have")} rows in 'file' and in 'testFile': with "
                + $"groupBy, rows of "
                + "one group stay on one side. Move them, or leave groupBy out", "/groupBy");
    }

    private void CheckClasses(IReadOnlyList<string> classes, ushort[] labels)
    {
        var learned = new bool[classes.Count];
        for (var row = 0; row < labels.Length; row++)
            learned[labels[row]] |= !IsTest[row];
        if (Array.IndexOf(learned, false) is >= 0 and var missing)
            throw new TableException([new SpecError(Rule switch
            {
                SplitRule.TestFile => "/testFile",
                SplitRule.Latest => "/timeBy",
                _ => "/stratify",
            }, $"all rows of the class '{classes[missing]}' are test rows, so it can't be learned" + Rule switch
            {
                SplitRule.TestFile => "",
                SplitRule.Latest => ": it comes up among the latest rows only. Take a smaller testFraction, or leave timeBy out",
                _ => ": leave stratify out",
            })]);
    }
}

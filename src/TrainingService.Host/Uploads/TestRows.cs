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
        }
        else
        {
            var fraction = plan.Options.TestFraction ?? UploadFields.DefaultTestFraction;
            var count = DatasetRegistry.HeldOutRows(rows, fraction, Math.Max(1, classes.Count));
            if (count == 0)
                throw new TableException($"{rows:N0} {(rows == 1 ? "row is" : "rows are")} too few: at least one must be left for the test "
                    + $"and {(classes.Count == 0 ? "one" : "one of each class")} to learn from");
            var isTest = new bool[rows];
            foreach (var row in StratifiedOrder.Of([.. Enumerable.Range(0, rows)], stratified ? encoded.Labels : [], SplitSeed).AsSpan(0, count))
                isTest[row] = true;
            split = new(isTest, SplitRule.Drawn, count, fraction, stratified);
        }
        split.CheckClasses(classes, encoded.Labels);
        return split;
    }

    private void CheckClasses(IReadOnlyList<string> classes, int[] labels)
    {
        var learned = new bool[classes.Count];
        for (var row = 0; row < labels.Length; row++)
            learned[labels[row]] |= !IsTest[row];
        if (Array.IndexOf(learned, false) is >= 0 and var missing)
            throw new TableException([new SpecError(Rule == SplitRule.TestFile ? "/testFile" : "/stratify",
                $"all rows of the class '{classes[missing]}' are test rows, so it can't be learned"
                + (Rule == SplitRule.Drawn ? ": leave stratify out" : ""))]);
    }
}

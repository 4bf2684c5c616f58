namespace TrainingService.Host.Tables;

/// <summary>The rows of a file and then those of a file of test rows, whose columns have the same names in any order.</summary>
public sealed class JoinedSource : RowSource
{
    private readonly RowSource _train;
    private readonly RowSource _test;
    private readonly int[] _columns;
    private bool _isTest;

    public JoinedSource(RowSource train, RowSource test)
    {
        (_train, _test) = (train, test);
        _columns = [.. train.Names.Select(name => test.Names.PlaceOf(name))];
        if (Array.IndexOf(_columns, -1) is >= 0 and var missing)
            throw new TableException($"the file of test rows has no column '{train.Names[missing]}'; it has "
                + $"{string.Join(", ", test.Names.Take(20))}", "/testFile");
    }

    public override IReadOnlyList<string> Names => _train.Names;
    public override bool IsTest => _isTest;
    public override string Place => _isTest ? $"testFile, {_test.Place}" : _train.Place;
    public override Cell this[int column] => _isTest ? _test[_columns[column]] : _train[column];

    public override void Dispose()
    {
        base.Dispose();
        _train.Dispose();
        _test.Dispose();
    }

    protected override bool ReadRow()
    {
        if (!_isTest && _train.Read())
            return true;
        _isTest = true;
        return _test.Read();
    }
}

using System.Text;
using TrainingService.Host.Tables;

namespace TrainingService.Host.Tests.Tables;

/// <summary>A table from bytes, as an upload reads it.</summary>
internal sealed class Made : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tables-");
    private readonly Unpacker _unpacker;

    private Made(long mostUnpacked, TableOptions? options, FileFormat? format, (string Name, byte[] Content)[] files)
    {
        _unpacker = new(_folder.FullName, mostUnpacked);
        try
        {
            var unpacked = files.SelectMany(file =>
            {
                var path = Path.Combine(_folder.FullName, Path.GetRandomFileName());
                System.IO.File.WriteAllBytes(path, file.Content);
                return _unpacker.Unpack(new(file.Name, path), CancellationToken.None);
            }).ToList();
            File = TableFile.Of(unpacked, format, options ?? new() { Target = "y" });
            var profile = TableProfile.Of(File.Open, File.Options, CancellationToken.None);
            Plan = TablePlan.Of(profile, File.Open, File.Options, CancellationToken.None);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public TableFile File { get; }
    public TablePlan Plan { get; }

    public static Made Of(string csv, TableOptions? options = null) => Of(Encoding.UTF8.GetBytes(csv), options);

    public static Made Of(byte[] content, TableOptions? options = null) => Of([("made.csv", content)], options);

    public static Made Of((string Name, byte[] Content)[] files, TableOptions? options = null, FileFormat? format = null,
        long mostUnpacked = 1 << 20) => new(mostUnpacked, options, format, files);

    /// <summary>Why it can't be read, in one line.</summary>
    public static string Refusal(byte[] content, TableOptions? options = null) => Refusal([("made.csv", content)], options);

    public static string Refusal((string Name, byte[] Content)[] files, TableOptions? options = null, FileFormat? format = null,
        long mostUnpacked = 1 << 20)
    {
        try
        {
            using var made = Of(files, options, format, mostUnpacked);
            return string.Join('\n', made.Plan.Problems.Select(problem => problem.Message));
        }
        catch (TableException e)
        {
            return string.Join('\n', e.Errors.Select(error => error.Message));
        }
    }

    public static string Refusal(string csv, TableOptions? options = null) => Refusal(Encoding.UTF8.GetBytes(csv), options);

    public PlannedColumn this[string name] => Plan.Features.First(column => column.Name == name);

    /// <summary>All rows as they are encoded: a list for each feature, the target last.</summary>
    public List<double[]> Rows()
    {
        var missing = new Missing(File.Options.Missing);
        var rows = new List<double[]>();
        using var source = File.Open();
        while (source.Read())
        {
            var row = new List<double>();
            foreach (var column in Plan.Features.Append(Plan.Target ?? throw new InvalidOperationException("no target")))
                row.Add(column.Read(source[column.Source], Plan.Profile.Decimals, missing));
            rows.Add([.. row]);
        }
        return rows;
    }

    public void Dispose()
    {
        _unpacker.Dispose();
        _folder.Delete(recursive: true);
    }
}

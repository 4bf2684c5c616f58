using System.Globalization;
using TrainingService.Host.Datasets;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Hosting;

/// <summary>Fetches a data set's files into this machine's data folder; needs no service that runs.</summary>
internal static class PullCommand
{
    public static async Task<int> Run(string name, string? from)
    {
        try
        {
            var source = DatasetSource.Read(new ConfigurationBuilder().AddEnvironmentVariables().Build());
            var known = MnistFamily.All(source.Folders, new());
            if (known.FirstOrDefault(dataset => dataset.Name == name) is not { } dataset)
                return await Refuse($"There is nothing to pull for "
                    + $"'{name}'{Engine.Specs.Names.DidYouMean(name, known.Select(d => d.Name))}; "
                    + $"there is for {string.Join(", ", known.Select(d => d.Name))}. Other data sets are there whole, or are brought by "
                    + "POST "
                    + $"{DatasetRoutes.Root}.");
            if (dataset.FindObstacle() is null)
            {
                Console.WriteLine($"{name} is there already, in {dataset.FindFolder()}.");
                return 0;
            }
            if ((from ?? source.Source) is not { } there)
                return await Refuse("There is no source to pull from: set TRAINING_DATASETS_SOURCE, or say --from, an address or a folder "
                    + $"that has the files{(dataset.DebianPackage is { } package ? $"; or: apt-get install {package}" : "")}.");
            if (DatasetSource.Fault(there) is { } fault)
                return await Refuse($"--from {fault}.");
            Console.WriteLine($"Pulling {name} from {there} to {dataset.Folder}");
            using var stop = new CancellationTokenSource();
            Console.CancelKeyPress += (_, e) => (e.Cancel, _) = (true, stop.CancelAsync());
            await new DatasetPull(there, Teller()).RunAsync(name, dataset.Published, dataset.Folder, stop.Token);
            Console.WriteLine($"{name} is there: {dataset.Published.Count} files whose SHA-256 is right.");
            return 0;
        }
        catch (Exception e) when (e is StartRefusedException or PullException)
        {
            return await Refuse(e.Message);
        }
        catch (OperationCanceledException)
        {
            return await Refuse("Stopped; what has come is kept, and the next pull goes on from there.");
        }
    }

    /// <summary>A line for every tenth of a file.</summary>
    private static Action<PullProgress> Teller()
    {
        var told = "";
        return now =>
        {
            var share = now.Total is > 0 and var total ? (int)(10 * now.Bytes / total) * 10 : (int?)null;
            var line = string.Create(CultureInfo.InvariantCulture, $"{now.File} ({now.Number} of {now.Files}): ")
                + (share is { } percent ? string.Create(CultureInfo.InvariantCulture, $"{percent} % of {now.Total / 1e6:N1} MB")
                    : string.Create(CultureInfo.InvariantCulture, $"{now.Bytes / 1_000_000:N0} MB"));
            if (line != told)
                Console.WriteLine(line);
            told = line;
        };
    }

    private static async Task<int> Refuse(string why)
    {
        await Console.Error.WriteLineAsync(why);
        return 1;
    }
}

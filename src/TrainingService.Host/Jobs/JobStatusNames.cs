using TrainingService.Engine.Specs;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

/// <summary>A status by its name.</summary>
public static class JobStatusNames
{
    private static readonly Dictionary<string, JobStatus> ByName = Enum.GetValues<JobStatus>().ToDictionary(Json.NameOf);

    /// <summary>In SQL, those that a worker holds by a lease.</summary>
    public const string HeldSql = "('running', 'canceling', 'pausing')";

    public static JobStatus? Find(string name) => ByName.TryGetValue(name, out var status) ? status : null;

    public static JobStatus Parse(string name, ICollection<SpecError> errors)
    {
        if (!ByName.TryGetValue(name, out var status))
            errors.Add(new("/status",
                $"unknown status '{name}'; allowed are {string.Join(", ", ByName.Keys)}{Names.DidYouMean(name, ByName.Keys)}"));
        return status;
    }
}

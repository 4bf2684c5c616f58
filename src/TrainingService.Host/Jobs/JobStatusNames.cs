using System.Text.Json;
using TrainingService.Engine.Specs;

namespace TrainingService.Host.Jobs;

/// <summary>How a status is written in addresses and sentences: as in JSON.</summary>
public static class JobStatusNames
{
    private static readonly Dictionary<string, JobStatus> ByName = Enum.GetValues<JobStatus>().ToDictionary(Of);

    public static string Of(JobStatus status) => JsonNamingPolicy.CamelCase.ConvertName(status.ToString());

    public static JobStatus Parse(string name, ICollection<SpecError> errors)
    {
        if (!ByName.TryGetValue(name, out var status))
            errors.Add(new("/status", $"unknown status '{name}'; allowed are {string.Join(", ", ByName.Keys)}{Names.DidYouMean(name, ByName.Keys)}"));
        return status;
    }
}

using System.ComponentModel;
using Microsoft.AspNetCore.Mvc;
using TrainingService.Host.Http;

namespace TrainingService.Host.Events;

/// <summary>Where a reader was, as it says.</summary>
public sealed record LastEventId
{
    private const string HeaderName = "Last-Event-ID";

    [FromHeader(Name = HeaderName), Description("The id of the last event that arrived: the stream goes on after it.")]
    public string? Header { get; init; }

    [FromQuery(Name = "lastEventId"), Description("The same, for those who can't set a header; the header counts if there are both.")]
    public string? Query { get; init; }

    /// <summary>The place; <paramref name="otherwise"/> where none is given.</summary>
    /// <param name="read">Null of what is no id of this stream.</param>
    /// <param name="otherwise">The beginning.</param>
    public T Read<T>(Func<string, T?> read, T otherwise) where T : class
    {
        // an EventSource comes again with both, and the address is from when it began
        var (place, id) = Header is { Length: > 0 } ? (HeaderName, Header) : ("lastEventId", Query);
        return string.IsNullOrEmpty(id) ? otherwise : read(id) ?? throw new ProblemException(Problems.Invalid($"/{place}",
            $"'{Characters.Shorten(id, 100)}' is no id of an event of this stream; leave it out to begin with the first one"));
    }
}

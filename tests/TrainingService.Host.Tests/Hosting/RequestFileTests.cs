using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Hosting;

/// <summary>The requests that people send from their editors, sent as they stand there, one after the other.</summary>
public sealed partial class RequestFileTests(Service service)
{
    [Fact, Trait("Category", "Slow")]
    public async Task Own_data_goes_the_whole_way_by_the_requests_of_the_file()
    {
        var (sweep, job, sent) = ("", "", 0);
        foreach (var request in Requests("own-data.http"))
        {
            if (request.Target.Contains("{{sweep}}", StringComparison.Ordinal))
                await service.Http.WaitForSweepEnd(sweep);
            if (request.Target.Contains("{{job}}", StringComparison.Ordinal))
                await service.Http.WaitForEndAsync(Guid.Parse(job));
            var target = request.Target.Replace("{{api}}", "/api/v1", StringComparison.Ordinal)
                .Replace("{{sweep}}", sweep, StringComparison.Ordinal).Replace("{{job}}", job, StringComparison.Ordinal);
            using var message = new HttpRequestMessage(new(request.Method), new Uri(target, UriKind.Relative));
            if (request.MediaType is { } type)
            {
                message.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(request.Body));
                message.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
            }
            using var answer = await service.Http.SendAsync(message, TestContext.Current.CancellationToken);
            var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.True(request.Expected.Contains((int)answer.StatusCode), $"{request.Method} {target}: {(int)answer.StatusCode} {text}");
            sent++;
            if (request.Target.Contains("/studies/", StringComparison.Ordinal))
                sweep = IdOf(text);
            if (request.Target.EndsWith("/best", StringComparison.Ordinal))
                job = IdOf(text);
        }
        Assert.True(sent >= 13, $"only {sent} requests");
    }

    private static string IdOf(string json) => System.Text.Json.JsonDocument.Parse(json).RootElement.Text("id");

    /// <summary>With all states that its title tells of.</summary>
    private sealed record Request(IReadOnlyList<int> Expected, string Method, string Target, string? MediaType, string Body);

    private static IEnumerable<Request> Requests(string name)
    {
        foreach (var part in Parts().Split(File.ReadAllText(Copy(name)).ReplaceLineEndings("\n")).Skip(1))
        {
            const string ContentType = "Content-Type: ";
            var halves = part.Split("\n\n", 2);
            string[] lines = [.. halves[0].Split('\n').Where(line => line.Length > 0)];
            var (title, words) = (lines[0], lines[1].Split(' '));
            var type = lines.Skip(2).FirstOrDefault(line => line.StartsWith(ContentType, StringComparison.Ordinal))?[ContentType.Length..];
            var body = halves.Length < 2 ? "" : halves[1].TrimEnd('\n').Replace("< ./my.csv", MyCsv(), StringComparison.Ordinal);
            // As editors send a form.
            if (type?.StartsWith("multipart/", StringComparison.Ordinal) == true)
                body = body.ReplaceLineEndings("\r\n") + "\r\n";
            yield return new([.. States().Matches(title).Select(match => int.Parse(match.Value, null))], words[0], words[1], type, body);
        }
    }

    /// <summary>With all columns that the requests name.</summary>
    private static string MyCsv()
    {
        var random = new Random(1);
        return "row,patient,zip,x,color,y\n" + string.Concat(Enumerable.Range(1, 240).Select(i =>
            $"{i},p{i % 60},{10000 + i % 7},{(i % 2) + random.NextDouble():0.00},{(i % 9 == 0 ? "" : "rgb"[i % 3])},{"ab"[i % 2]}\n"));
    }

    private static string Copy(string name, [CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here) ?? "", "../../../deploy/requests", name));

    [GeneratedRegex("^### ", RegexOptions.Multiline)]
    private static partial Regex Parts();

    [GeneratedRegex(@"\b[1-5]\d\d\b")]
    private static partial Regex States();
}

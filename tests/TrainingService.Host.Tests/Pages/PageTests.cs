using System.Text.RegularExpressions;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Pages;

/// <summary>The pages as they are sent.</summary>
public sealed partial class PageTests(Service service)
{
    private const int MostBytes = 300_000;

    private static readonly (string, string) Html = ("Accept", "text/html");

    [Fact]
    public async Task A_page_is_light_loads_only_what_is_ours_and_may_run_nothing_else()
    {
        var job = await service.Http.SubmitAsync();
        var sweep = await service.Http.SubmitSweep(
            $$"""{"base": {{SweepClient.Tiny}}, "arms": {{SweepClient.ReluAndTanh}}, "seedCount": 2}""");
        foreach (var path in (string[])["/", "/jobs", $"/jobs/{job}", "/sweeps", $"/sweeps/{sweep}", "/ask", "/compose", "/learn",
            "/learn/dying-relu", "/data", "/data/digits", "/catalogue", "/keys", "/sign-in"])
        {
            var page = await service.Http.GetAnswer(path, Html);
            Assert.Equal((200, "text/html"), (page.Status, page.MediaType));
            var policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
            Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            Assert.DoesNotMatch(InPlace(), page.Text);
            var size = page.Text.Length;
            foreach (var file in Loaded(page.Text))
                size += (await service.Http.GetAnswer(file)).Text.Length;
            Assert.True(size < MostBytes, $"{path} has {size} bytes with all that it loads");
        }
    }

    [Fact]
    public async Task Files_are_kept_for_good_and_pages_asked_for_again()
    {
        var page = await service.Http.GetAnswer("/learn", Html);
        Assert.Contains("no-cache", $"{page.Headers.CacheControl}", StringComparison.Ordinal);
        Assert.Equal(304, (await service.Http.GetAnswer("/learn", Html, ("If-None-Match", page.ETag!))).Status);
        var file = Loaded(page.Text)[0];
        Assert.Contains("immutable", $"{(await service.Http.GetAnswer(file)).Headers.CacheControl}", StringComparison.Ordinal);
        // one of another version gets what there is, and is told not to keep it
        var other = await service.Http.GetAnswer(Version().Replace(file, "/assets/000000000000/"));
        Assert.Equal((200, true), (other.Status, other.Headers.CacheControl!.NoCache));
        (await service.Http.GetAnswer("/assets/000000000000/none.js")).MustBeProblem(404, "not-found");
    }

    [Fact]
    public async Task What_is_not_there_is_a_page_for_people_and_a_problem_for_programs()
    {
        foreach (var path in (string[])["/nothing", $"/jobs/{Guid.CreateVersion7()}", "/jobs/none", $"/sweeps/{Guid.CreateVersion7()}",
            "/learn/none", "/data/none"])
        {
            var page = await service.Http.GetAnswer(path, Html);
            Assert.Equal((404, "text/html"), (page.Status, page.MediaType));
            Assert.Contains("<h1>Nothing is here</h1>", page.Text, StringComparison.Ordinal);
            (await service.Http.GetAnswer(path)).MustBeProblem(404, "not-found");
        }
        var wrong = await service.Http.GetAnswer("/jobs?activation=relo", Html);
        Assert.Equal(400, wrong.Status);
        Assert.Contains("did you mean &#x27;relu&#x27;", wrong.Text, StringComparison.Ordinal);
        (await service.Http.GetAnswer("/api/v1/jobs/none", Html)).MustBeProblem(404, "not-found");
    }

    [Fact]
    public async Task What_people_write_is_text_wherever_it_is_shown()
    {
        var made = await service.Http.PostJob("""{"name": "<script>alert(1)</script>", "dataset": "iris", "labels": {"page": "<b>'\""}}""");
        foreach (var path in (string[])[$"/jobs/{made.Id}", $"/jobs?label={Uri.EscapeDataString("page=<b>'\"")}"])
        {
            var page = await service.Http.GetAnswer(path, Html);
            Assert.Equal(200, page.Status);
            Assert.Contains("&lt;script&gt;alert(1)", page.Text, StringComparison.Ordinal);
            Assert.DoesNotMatch(InPlace(), page.Text);
            Assert.DoesNotContain("<b>'", page.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_sweep_and_a_study_tell_beforehand_what_they_take_and_what_they_can_not_find()
    {
        var sweep = (await service.Http.Send("POST", "/api/v1/sweeps/validate",
            $$"""{"base": {{SweepClient.Tiny}}, "arms": {{SweepClient.ReluAndTanh}}, "seedCount": 2}""")).Json;
        Assert.Equal((2, 4), (sweep.GetProperty("arms").GetInt32(), sweep.GetProperty("runsAtMost").GetInt32()));
        Assert.Contains(sweep.GetProperty("warnings").EnumerateArray(), warning => warning.GetString()!.Contains("seeds"));
        var study = (await service.Http.Send("POST", "/api/v1/studies/relu-vs-leaky-relu/validate", """{"dataset": "digits"}""")).Json;
        Assert.True(study.GetProperty("estimatedSecondsAtMost").GetDouble() > study.GetProperty("estimatedSecondsAtLeast").GetDouble());
        Assert.Equal(study.GetProperty("arms").GetInt32(), study.GetProperty("spec").GetProperty("arms").GetArrayLength());
        var refused = await service.Http.Send("POST", "/api/v1/studies/relu-vs-leaky-relu/validate", """{"dataset": "digit"}""");
        Assert.Equal((await service.Http.Send("POST", "/api/v1/studies/relu-vs-leaky-relu", """{"dataset": "digit"}""")).Error("/dataset"),
            refused.Error("/dataset"));
    }

    private static List<string> Loaded(string page) => [.. Files().Matches(page).Select(match => match.Groups["file"].Value)];

    /// <summary>A script without an address, a style or a handler in an attribute, a script as an address.</summary>
    [GeneratedRegex(@"<script(?![^>]*\ssrc=)|<style|<[^>]+\s(on[a-z]+|style)\s*=|[""']\s*javascript:|(src|href)=""(https?:)?//",
        RegexOptions.IgnoreCase)]
    private static partial Regex InPlace();

    [GeneratedRegex(@"(?:src|href)=""(?<file>/assets/[^""]+)""")]
    private static partial Regex Files();

    [GeneratedRegex("/assets/[^/]+/")]
    private static partial Regex Version();
}

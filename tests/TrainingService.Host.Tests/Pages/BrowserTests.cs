using System.Text;
using PuppeteerSharp;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Pages;

/// <summary>The pages as people see them, in Debian's chromium.</summary>
public sealed class BrowserTests(Service service, Browser browser) : IClassFixture<Browser>
{
    private Uri Address => service.Http.BaseAddress!;

    [Theory]
    [InlineData(1280, false)]
    [InlineData(390, true)]
    public async Task Every_page_fits_its_window_keeps_nobody_out_and_complains_of_nothing(int width, bool isDark)
    {
        var job = await service.Http.SubmitAsync(epochs: 3, everySteps: 5);
        var sweep = await service.Http.SubmitSweep(
            $$"""{"base": {{SweepClient.Tiny}}, "arms": {{SweepClient.ReluAndTanh}}, "seedCount": 2}""");
        var points = (await service.Http.PostJob("""{"dataset": "spirals", "training": {"epochs": 2}}""")).Id;
        await service.Http.WaitForEndAsync(job);
        await service.Http.WaitForEndAsync(Guid.Parse(points));
        await service.Http.WaitForSweepEnd(sweep);
        await using var visit = await browser.VisitAsync(Address, width, isDark);
        foreach (var (path, isThere) in ((string, string)[])[
            ("/", "document.querySelector('.cards')"),
            ("/jobs", "document.querySelector('#jobs tbody tr')"),
            ($"/jobs/{job}",
                "document.querySelector('#units rect') && document.querySelector('#loss .curve') && document.querySelector('canvas')"),
            ($"/jobs/{points}", "document.querySelector('.plane .mark') && document.querySelector('#mistakenote').textContent"),
            ("/sweeps", "document.querySelector('#sweeps li')"),
            ($"/sweeps/{sweep}", "document.querySelector('#forest .dot') && document.querySelector('.cell')"),
            ($"/sweeps/{sweep}#x=seed&y=trainLoss", "document.querySelector('#scatter .points')"),
            ("/ask", "!document.getElementById('go').disabled"),
            ("/compose", "!document.getElementById('go').disabled && document.querySelector('#preflight .dot')"),
            ("/data", "document.querySelector('tbody tr')"),
            ("/data/penguins", "document.querySelectorAll('#histograms figure').length === 6"),
            ("/data/digits", "document.querySelector('#rowpictures canvas') && document.querySelector('#histograms rect')"),
            ("/catalogue", "document.querySelector('.activations img').complete"),
            ("/keys", "document.getElementById('make')"),
            ("/learn", "document.querySelector('.lessons')"),
            ("/learn/dying-relu", "document.getElementById('curl-left').textContent"),
            ("/sign-in", "document.getElementById('key')")])
        {
            await visit.GoAsync(path);
            await visit.UntilAsync(isThere);
            Assert.True(await visit.OverflowAsync() <= 0, $"{path} is wider than {width} pixels");
            Assert.Empty((await visit.BarriersAsync()).Select(barrier => $"{path}: {barrier}"));
        }
        Assert.Empty(visit.Complaints);
    }

    [Theory]
    [InlineData(1280, false)]
    [InlineData(390, true)]
    public async Task A_newcomer_gets_from_a_file_to_a_verdict_and_a_model(int width, bool isDark)
    {
        await using var visit = await browser.VisitAsync(Address, width, isDark);
        await visit.GoAsync("/ask?study=own");
        var name = $"flowers-{Guid.NewGuid():N}"[..16];
        var file = Path.Combine(Path.GetTempPath(), $"{name}.csv");
        var rows = new StringBuilder("length,width,colour,kind\n");
        for (var i = 0; i < 120; i++)
            rows.Append(FormattableString.Invariant($"{3 + i % 3 + i % 7 * .1},{2 - i % 3 * .4 + i % 5 * .1},"))
                .Append(i % 2 == 0 ? "red," : "blue,").Append(((string[])["setosa", "virginica", "versicolor"])[i % 3]).Append('\n');
        await File.WriteAllTextAsync(file, rows.ToString(), TestContext.Current.CancellationToken);
        try
        {
            await (await visit.Page.QuerySelectorAsync("#file")).UploadFileAsync(file);
            await visit.UntilAsync("document.querySelector('#columns tr.chosen')?.textContent.includes('kind')");
            Assert.Empty(await visit.BarriersAsync());
            Assert.True(await visit.OverflowAsync() <= 0, "the file's columns are wider than the window");
            await visit.Page.ClickAsync("#store");
            await visit.UntilAsync($"document.getElementById('dataset').value === '{name}'");
        }
        finally
        {
            File.Delete(file);
        }
        await visit.Page.EvaluateExpressionAsync(
            "document.querySelector('[name=epochs]').value = 2; document.querySelector('[name=rates]').value = '0.05'; "
            + "document.querySelector('[value=gelu]').click()");
        await visit.UntilAsync(
            "!document.getElementById('go').disabled && document.querySelector('.takes')?.textContent.includes('2 arms')");
        await visit.Page.ClickAsync("#go");
        await visit.UntilAsync("location.pathname.startsWith('/sweeps/') && document.querySelector('.status.succeeded')");
        await visit.UntilAsync("document.getElementById('verdict').textContent.includes('accuracy')");
        await visit.UntilAsync("[...document.querySelectorAll('#state a')].some(link => link.textContent.startsWith('Best net'))");
        Assert.Empty(await visit.BarriersAsync());
        await visit.Page.EvaluateExpressionAsync(
            "[...document.querySelectorAll('#state a')].find(link => link.textContent.startsWith('Best net')).click()");
        await visit.UntilAsync("location.pathname.startsWith('/jobs/') && document.querySelector('a[href$=\"model?format=onnx\"]')");
        var model = await service.Http.GetAnswer(await visit.AskAsync<string>(
            "new URL(document.querySelector('a[href$=\"model?format=onnx\"]').href).pathname + '?format=onnx'"));
        Assert.Equal(200, model.Status);
        Assert.Empty(visit.Complaints);
    }

    [Theory]
    [InlineData(1280, false)]
    [InlineData(390, true)]
    public async Task A_teacher_shows_units_that_die_on_one_side_and_none_on_the_other(int width, bool isDark)
    {
        await using var visit = await browser.VisitAsync(Address, width, isDark);
        await visit.GoAsync("/learn/dying-relu");
        await visit.Page.ClickAsync("#start button");
        await visit.UntilAsync("document.getElementById('leftstate').textContent === 'succeeded' "
            + "&& document.getElementById('rightstate').textContent === 'succeeded'");
        const string Dead = "document.querySelectorAll('#{0}units .u.dead').length";
        await visit.UntilAsync(string.Format(null, Dead, "left") + " > 10");
        Assert.Equal(0, await visit.AskAsync<int>(string.Format(null, Dead, "right")));
        Assert.Empty(await visit.BarriersAsync());
        // at the beginning all were alive
        await visit.Page.EvaluateExpressionAsync(
            "document.getElementById('step').value = 0; "
            + "document.getElementById('step').dispatchEvent(new Event('input', { bubbles: true }))");
        Assert.Equal(0, await visit.AskAsync<int>(string.Format(null, Dead, "left")));
        // who gets the address sees the same run
        var address = new Uri(visit.Page.Url).PathAndQuery;
        await using var pupil = await browser.VisitAsync(Address, width, isDark);
        await pupil.GoAsync(address);
        await pupil.UntilAsync(string.Format(null, Dead, "left") + " > 10");
        Assert.Empty(visit.Complaints.Concat(pupil.Complaints));
    }

    [Fact]
    public async Task What_a_column_holds_and_is_for_can_be_told_before_it_is_stored()
    {
        await using var visit = await browser.VisitAsync(Address);
        await visit.GoAsync("/ask?study=own");
        var name = $"towns-{Guid.NewGuid():N}"[..16];
        var file = Path.Combine(Path.GetTempPath(), $"{name}.csv");
        await File.WriteAllLinesAsync(file, ["code,note,size,household,sold",
            .. Enumerable.Range(0, 60).Select(i => $"{101 + i % 4},{i * 7 % 9},{20 + i * 13 % 31},{i / 2},{(i % 3 == 0 ? "yes" : "no")}")],
            TestContext.Current.CancellationToken);
        async Task Choose(string label, string value)
        {
            await visit.UntilAsync(
                $"document.querySelector('#columns [aria-label=\"{label}\"]') && !document.getElementById('store').disabled");
            await visit.Page.FocusAsync($"#columns [aria-label='{label}']");
            await visit.Page.SelectAsync($"#columns [aria-label='{label}']", value);
        }
        try
        {
            await (await visit.Page.QuerySelectorAsync("#file")).UploadFileAsync(file);
            await Choose("What code holds", "category");
            await Choose("What note is for", "dropped");
            await Choose("What household is for", "group");
            await visit.UntilAsync("!document.getElementById('store').disabled");
            Assert.Equal("What household is for", await visit.AskAsync<string>("document.activeElement.getAttribute('aria-label')"));
            // another look at it must be told of what was said before
            Assert.Equal(["category", "dropped", "group"], await visit.AskAsync<string[]>("['code holds', 'note is for', "
                + "'household is for'].map(what => document.querySelector(`[aria-label='What ${what}']`).value)"));
            await visit.Page.ClickAsync("#store");
            await visit.UntilAsync($"document.getElementById('dataset').value === '{name}'");
        }
        finally
        {
            File.Delete(file);
        }
        var stored = await service.Http.GetAnswer($"/api/v1/datasets/{name}");
        Assert.Equal("code categorical, size numeric", string.Join(", ", stored["features"].EnumerateArray()
            .Select(feature => $"{feature.GetProperty("name").GetString()} {feature.GetProperty("kind").GetString()}")));
        Assert.Equal("household", stored["splits"].GetProperty("groupBy").GetString());
        Assert.Empty(visit.Complaints);
    }

    [Fact]
    public async Task Of_two_answers_about_a_file_the_later_question_counts()
    {
        await using var visit = await browser.VisitAsync(Address);
        await visit.GoAsync("/ask?study=own");
        var file = Path.Combine(Path.GetTempPath(), $"late-{Guid.NewGuid():N}.csv");
        await File.WriteAllLinesAsync(file, ["a,b,kind", .. Enumerable.Range(0, 30).Select(i => $"{i % 4},{i % 5},{"xyz"[i % 3]}")],
            TestContext.Current.CancellationToken);
        try
        {
            await (await visit.Page.QuerySelectorAsync("#file")).UploadFileAsync(file);
            await visit.UntilAsync(
                "document.querySelectorAll('#columns tbody tr').length === 3 && !document.getElementById('store').disabled");
            // the next answer about it comes only after the one behind it; what a study would take is asked for meanwhile, or was before
            await visit.Page.EvaluateExpressionAsync("{ const ask = fetch; let held = 0; window.answered = 0; "
                + "window.fetch = async (...request) => { if (!request[0].endsWith('/inspect')) return ask(...request); "
                + "const mine = held++; const answer = await ask(...request); "
                + "if (mine === 0) while (window.answered < 1) await new Promise(done => setTimeout(done, 10)); "
                + "window.answered++; return answer; }; }");
            await visit.Page.EvaluateExpressionAsync("for (const what of ['dropped', 'feature']) { "
                + "const select = document.querySelector('[aria-label=\"What a is for\"]'); select.value = what; "
                + "select.dispatchEvent(new Event('change')); }");
            await visit.UntilAsync("window.answered === 2 && !document.getElementById('store').disabled");
            await Task.Delay(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken);
            Assert.Equal("feature", await visit.AskAsync<string>("document.querySelector('[aria-label=\"What a is for\"]').value"));
            Assert.Contains("from 2 inputs", await visit.TextAsync("#filesize"), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
        Assert.Empty(visit.Complaints);
    }

    [Fact]
    public async Task Jobs_that_are_chosen_are_labelled_and_copied_with_changes()
    {
        var (team, other) = ($"t{Guid.NewGuid():N}"[..9], $"c{Guid.NewGuid():N}"[..9]);
        for (var i = 0; i < 2; i++)
        {
            var job = await service.Http.PostJob(
                $$$"""{"dataset": "iris", "training": {"epochs": 1}, "labels": {"team": "{{{team}}}"}}""");
            await service.Http.WaitForEndAsync(Guid.Parse(job.Id));
        }
        await using var visit = await browser.VisitAsync(Address, 390);
        await visit.GoAsync($"/jobs?label=team%3D{team}");
        async Task Press(string what, string field, string text)
        {
            await visit.Page.EvaluateExpressionAsync("for (const box of document.querySelectorAll('#jobs input[name=job]')) "
                + "if (!box.checked) box.click(); document.querySelector('#chosen details').open = true; "
                + $"document.getElementById('{field}').value = {System.Text.Json.JsonSerializer.Serialize(text)}; "
                + $"document.querySelector('#chosen [data-do={what}]').click()");
        }
        await visit.UntilAsync("document.querySelectorAll('#jobs tbody tr').length === 2");
        await Press("label", "labels", "no label");
        await visit.UntilAsync("document.body.innerText.includes(\"'no label' must be written as key=value\")");
        await Press("label", "labels", $"kind={other}");
        await visit.UntilAsync($"document.querySelectorAll('#jobs a.label[href$=\"kind%3D{other}\"]').length === 2");
        await Press("clone", "patch", "{not json");
        await visit.UntilAsync("document.body.innerText.includes('The changes are no JSON')");
        await Press("clone", "patch", """{"training": {"epochs": 3}}""");
        await visit.UntilAsync("document.querySelector('dialog [value=yes]')");
        await visit.Page.ClickAsync("dialog [value=yes]");
        await visit.UntilAsync("document.querySelectorAll('#jobs tbody tr').length === 4");
        await visit.UntilAsync("document.body.innerText.includes('2 copied.')");
        var epochs = (await service.Http.GetAnswer($"/api/v1/jobs?label=kind%3D{other}&fields=spec"))["items"].EnumerateArray()
            .Select(job => job.GetProperty("spec").GetProperty("training").GetProperty("epochs").GetInt32()).Order();
        Assert.Equal([1, 1, 3, 3], epochs);
        Assert.Empty(visit.Complaints);
    }

    [Fact]
    public async Task What_runs_is_followed_and_can_be_stopped()
    {
        var job = await service.Http.SubmitAsync(Client.Hours, everySteps: 1000);
        await using var visit = await browser.VisitAsync(Address);
        await visit.GoAsync($"/jobs/{job}");
        await visit.UntilAsync("document.querySelector('#state progress')?.value > 0");
        var before = await visit.TextAsync("#state .line");
        await visit.UntilAsync($"document.querySelector('#state .line').innerText !== {System.Text.Json.JsonSerializer.Serialize(before)}");
        await visit.Page.EvaluateExpressionAsync(
            "[...document.querySelectorAll('#state button')].find(button => button.textContent === 'Cancel').click()");
        await visit.UntilAsync("document.querySelector('dialog [value=yes]')");
        await visit.Page.ClickAsync("dialog [value=yes]");
        await visit.UntilAsync("document.querySelector('#state .status.canceled')");
        Assert.Equal("canceled", (await service.Http.WaitForEndAsync(job)).Status());
        Assert.Empty(visit.Complaints);
    }

    [Fact]
    public async Task A_page_is_told_of_what_happens_while_it_is_seen_and_asks_for_nothing_again_and_again()
    {
        var job = await service.Http.SubmitAsync(Client.Hours, everySteps: 1000);
        await service.Http.WaitForStepAsync(job);
        await using var visit = await browser.VisitAsync(Address);
        var asked = new List<string>();
        visit.Page.Request += (_, request) => Note("", request.Request);
        visit.Page.RequestFailed += (_, request) => Note("closed ", request.Request);
        await visit.GoAsync($"/jobs/{job}");
        const string Points = "document.querySelector('#loss .curve').getAttribute('d').length";
        await visit.UntilAsync("document.querySelector('#loss .curve')");
        var before = await visit.AskAsync<int>(Points);
        await visit.UntilAsync($"{Points} > {before + 100}");
        Assert.Single(Asked("/events"));
        Assert.Single(Asked("/metrics"));
        // what is hidden needs no stream
        await visit.Page.EvaluateExpressionAsync("Object.defineProperty(document, 'hidden', { configurable: true, get: () => true }); "
            + "document.dispatchEvent(new Event('visibilitychange'))");
        await visit.UntilAsync("true");
        for (var limit = DateTime.UtcNow.AddMinutes(1); Asked("closed ").Length == 0 && DateTime.UtcNow < limit;)
            await Task.Delay(20, TestContext.Current.CancellationToken);
        Assert.Contains("events", Assert.Single(Asked("closed ")), StringComparison.Ordinal);
        var shown = await visit.TextAsync("#state .line");
        await visit.Page.EvaluateExpressionAsync("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))");
        await visit.UntilAsync($"document.querySelector('#state .line').innerText !== {System.Text.Json.JsonSerializer.Serialize(shown)}");
        // after the last event that it was told
        Assert.NotEqual(Place(Asked("events")[0]), Place(Asked("events")[^1]));
        await service.Http.Send("POST", $"/api/v1/jobs/{job}/cancel", null);
        await visit.UntilAsync("document.querySelector('#state .status.canceled')");
        // longer than a page without a stream takes to ask again
        await Task.Delay(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
        Assert.Empty(Asked($"/api/v1/jobs/{job} "));
        Assert.Empty(visit.Complaints);

        void Note(string what, IRequest request)
        {
            lock (asked)
                asked.Add($"{what}{new Uri(request.Url).PathAndQuery} ");
        }

        string[] Asked(string part)
        {
            lock (asked)
                return [.. asked.Where(one => one.Contains(part, StringComparison.Ordinal)
                    && one.StartsWith("closed ", StringComparison.Ordinal) == part.StartsWith("closed ", StringComparison.Ordinal))];
        }

        static string Place(string address) => address[address.IndexOf("lastEventId", StringComparison.Ordinal)..];
    }

    [Fact]
    public async Task Runs_of_a_sweep_turn_as_they_end_and_the_verdict_follows()
    {
        var sweep = await service.Http.SubmitSweep(
            $$$"""
            {"base": {"dataset": "digits", "model": {"hiddenLayers": [64]}, "training": {"epochs": 30}},
             "arms": {{{SweepClient.ReluAndTanh}}}, "seedCount": 3}
            """);
        await using var visit = await browser.VisitAsync(Address);
        var lists = 0;
        // told by several threads
        visit.Page.Request += (_, request) =>
            Interlocked.Add(ref lists, request.Request.Url.Contains("/cells", StringComparison.Ordinal) ? 1 : 0);
        await visit.GoAsync($"/sweeps/{sweep}");
        await visit.UntilAsync("document.querySelectorAll('.cell.succeeded').length === 6");
        await visit.UntilAsync("document.querySelector('#state .status.succeeded')");
        await visit.UntilAsync("document.getElementById('verdict').textContent.includes('accuracy')");
        // neither one a run nor one at the end: the stream tells all that comes after the first, which the verdict may be seen before
        for (var limit = DateTime.UtcNow.AddMinutes(1); Volatile.Read(ref lists) == 0 && DateTime.UtcNow < limit;)
            await Task.Delay(20, TestContext.Current.CancellationToken);
        await Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken);
        Assert.Equal(1, lists);
        Assert.Empty(visit.Complaints);
    }

    [Fact]
    public async Task Jobs_that_are_chosen_are_laid_over_each_other_and_what_differs_is_marked()
    {
        var ids = new[] { await service.Http.SubmitAsync(2), await service.Http.SubmitAsync(3) };
        foreach (var id in ids)
            await service.Http.WaitForEndAsync(id);
        await using var visit = await browser.VisitAsync(Address);
        await visit.GoAsync($"/jobs#compare={string.Join(',', ids)}");
        await visit.UntilAsync("document.querySelectorAll('#overlay .curve').length === 2");
        var differs = await visit.AskAsync<string[]>(
            "[...document.querySelectorAll('#specs tr.differs th')].map(place => place.innerText)");
        Assert.Contains(differs, place => place.StartsWith("training.epochs", StringComparison.Ordinal));
        Assert.DoesNotContain(differs, place => place.StartsWith("dataset", StringComparison.Ordinal));
        Assert.Empty(visit.Complaints);
    }

    [Fact]
    public async Task A_cell_of_the_confusion_matrix_shows_its_rows()
    {
        var job = await service.Http.SubmitAsync();
        await service.Http.WaitForEndAsync(job);
        await using var visit = await browser.VisitAsync(Address);
        await visit.GoAsync($"/jobs/{job}");
        await visit.UntilAsync("document.querySelectorAll('#mistakelist canvas').length > 0");
        await visit.Page.EvaluateExpressionAsync("(document.cell = document.querySelector('.cellrows')).click()");
        await visit.UntilAsync("document.querySelectorAll('#mistakelist figure').length === Number(document.cell.textContent) "
            + "&& document.cell.getAttribute('aria-pressed') === 'true'");
        Assert.True(await visit.AskAsync<bool>("[...document.querySelectorAll('#mistakelist figcaption')].every(text => "
            + "text.textContent.startsWith(`${document.cell.dataset.truth} → ${document.cell.dataset.predicted}`))"));
        Assert.Empty(visit.Complaints);
    }

    [Fact]
    public async Task Curves_are_smoothed_with_what_was_measured_behind_them()
    {
        var job = await service.Http.SubmitAsync(epochs: 5, everySteps: 5);
        await service.Http.WaitForEndAsync(job);
        await using var visit = await browser.VisitAsync(Address);
        await visit.GoAsync($"/jobs/{job}");
        await visit.UntilAsync("document.querySelector('#loss .curve')");
        const string Before = "document.querySelectorAll('#loss .curve').length";
        var curves = await visit.AskAsync<int>(Before);
        await visit.Page.EvaluateExpressionAsync("document.getElementById('smooth').value = 0.9; "
            + "document.getElementById('smooth').dispatchEvent(new Event('input'))");
        await visit.UntilAsync($"document.querySelectorAll('#loss .raw').length > 0 && {Before} > {curves}");
        Assert.Empty(visit.Complaints);
    }

    [Fact]
    public async Task The_line_that_a_net_draws_moves_from_its_first_step_to_its_last()
    {
        const string Edge = "document.querySelector('.plane .edge').getAttribute('d')", Step = "document.getElementById('planestep')";
        var job = await service.Http.PostJob("""{"dataset": "moons", "training": {"epochs": 20}}""");
        await service.Http.WaitForEndAsync(Guid.Parse(job.Id));
        await using var visit = await browser.VisitAsync(Address, 390, isDark: true);
        await visit.GoAsync($"/jobs/{job.Id}");
        await visit.UntilAsync("document.querySelector('.plane .edge')");
        await visit.Page.EvaluateExpressionAsync($"document.end = {Edge}");
        await visit.Page.ClickAsync("#planemoves");
        await visit.UntilAsync($"{Step}.value < 10 && {Edge} !== document.end "
            + $"&& {Step}.getAttribute('aria-valuetext').startsWith('step ')");
        await visit.UntilAsync($"{Step}.value === {Step}.max && {Edge} === document.end");
        await visit.UntilAsync("document.getElementById('planeplay').textContent === 'Play' && !document.getElementById('planemoves')"
            + ".checkVisibility()");
        Assert.Empty(await visit.BarriersAsync());
        Assert.Empty(visit.Complaints);
    }
}

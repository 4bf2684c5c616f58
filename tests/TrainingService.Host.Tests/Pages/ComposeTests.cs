using System.Text.Json;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Pages;

/// <summary>What is put together with a browser: jobs, sweeps, views of all their runs.</summary>
public sealed class ComposeTests(Service service, Browser browser) : IClassFixture<Browser>
{
    private Uri Address => service.Http.BaseAddress!;

    [Fact]
    public async Task A_job_is_composed_in_form_and_json_and_what_is_wrong_stands_at_its_field()
    {
        await using var visit = await browser.VisitAsync(Address);
        await visit.GoAsync("/compose?dataset=iris");
        await visit.UntilAsync("document.body.dataset.checked === 'accepted'");
        // every field that the catalogue has, and the defaults of all
        await visit.UntilAsync("document.querySelectorAll('#fields .field').length > 30");
        Assert.Equal("0.05", await visit.AskAsync<string>($"{Field("Learning rate")}.placeholder"));
        await Choose(visit, "Activation", "leaky_relu");
        await Write(visit, "Negative slope", "0.2");
        await Write(visit, "Epochs", "3");
        await visit.UntilAsync("JSON.parse(document.getElementById('json').value).model?.activation?.negativeSlope === 0.2");
        await visit.UntilAsync("document.querySelector('#pictures img')?.src.includes('negativeSlope=0.2')");
        // the other way
        await visit.Page.EvaluateExpressionAsync("""
            { const json = document.getElementById('json'), job = JSON.parse(json.value);
              job.training.batchSize = 'many'; job.model.dropout = 1.5; json.value = JSON.stringify(job);
              json.dispatchEvent(new Event('input', { bubbles: true })); }
            """);
        await visit.UntilAsync("document.body.dataset.checked === 'refused'");
        Assert.Equal("many", await visit.AskAsync<string>($"{Field("Batch size")}.value"));
        Assert.NotEqual("", await visit.AskAsync<string>($"{Field("Batch size")}.parentElement.querySelector('.wrong').textContent"));
        Assert.True(await visit.AskAsync<bool>("document.getElementById('go').disabled"));
        await Write(visit, "Batch size", "16");
        await visit.UntilAsync($"{Field("Dropout")}.getAttribute('aria-invalid') === 'true'");
        await Write(visit, "Dropout", "");
        await visit.UntilAsync("document.body.dataset.checked === 'accepted' && !document.getElementById('go').disabled");
        // who gets the address gets the job
        await using var other = await browser.VisitAsync(Address, 390, isDark: true);
        await other.GoAsync(new Uri(visit.Page.Url).PathAndQuery + new Uri(visit.Page.Url).Fragment);
        await other.UntilAsync($"document.getElementById('json').value.includes('leaky_relu') && {Field("Epochs")}?.value === '3'");
        Assert.True(await other.OverflowAsync() <= 0);
        await visit.Page.ClickAsync("#go");
        await visit.UntilAsync("location.pathname.startsWith('/jobs/')");
        var spec = (await service.Http.WaitForEndAsync(Guid.Parse(visit.Page.Url.Split('/')[^1]))).GetProperty("spec");
        Assert.Equal((3, 16, 0.2), (spec.GetProperty("training").GetProperty("epochs").GetInt32(),
            spec.GetProperty("training").GetProperty("batchSize").GetInt32(),
            spec.GetProperty("model").GetProperty("activation").GetProperty("negativeSlope").GetDouble()));
        // a refusal is told of by the browser, too
        Assert.All(visit.Complaints, complaint => Assert.Contains("400", complaint, StringComparison.Ordinal));
        Assert.Empty(other.Complaints);
    }

    [Fact]
    public async Task A_sweep_is_made_of_it_and_all_its_runs_are_seen_at_once()
    {
        var request = Uri.EscapeDataString($$"""
            {"base": {{SweepClient.Tiny}}, "seedCount": 2, "grid": {"/model/activation": ["relu", "tanh"], "/training/epochs": [1, 2]} }
            """);
        await using var visit = await browser.VisitAsync(Address);
        await visit.GoAsync($"/compose#{request}");
        await visit.UntilAsync("document.querySelectorAll('.variant').length === 2 && !document.getElementById('go').disabled");
        await visit.Page.ClickAsync("#row");
        await visit.Page.TypeAsync(".variant:last-child > input", "0.01, 0.1");
        await visit.UntilAsync("JSON.parse(document.getElementById('json').value).grid['/training/optimizer/learningRate']?.length === 2");
        await visit.UntilAsync("!document.getElementById('go').disabled && document.getElementById('cost').innerText.includes('16')");
        await visit.Page.ClickAsync("#go");
        await visit.UntilAsync("location.pathname.startsWith('/sweeps/') && document.querySelector('.status.succeeded')");
        // by what differs, as reports call them
        Assert.Equal(8, await visit.AskAsync<int>("document.querySelectorAll('#cells .row').length"));
        await visit.UntilAsync("[...document.querySelectorAll('#cells .row > span, #arms th[scope=row]')]"
            + ".filter(one => /^(relu|tanh), epochs [12], lr 0[.](01|1)/.test(one.innerText)).length === 16");
        await visit.Page.ClickAsync("#runs > summary");
        await visit.UntilAsync("document.querySelector('#importance li') && document.querySelector('#parallel .lines')");
        var runs = "(document.querySelector('#scatter .points') ? [...document.querySelectorAll('#scatter .points')]"
            + ".reduce((sum, path) => sum + path.getAttribute('d').split('M').length - 1, 0) : 0)";
        Assert.Equal(16, await visit.AskAsync<int>(runs));
        await visit.Page.EvaluateExpressionAsync("""
            { const only = document.querySelector('#only select'); only.value = only.options[1].value;
              only.dispatchEvent(new Event('input', { bubbles: true })); }
            """);
        await visit.UntilAsync($"{runs} === 8");
        Assert.Empty(await visit.BarriersAsync());
        // a field that has no values yet
        Assert.All(visit.Complaints, complaint => Assert.Contains("400", complaint, StringComparison.Ordinal));
    }

    private static string Field(string label) => "document.getElementById([...document.querySelectorAll('#fields label')]"
        + $".find(one => one.textContent === {JsonSerializer.Serialize(label)})?.htmlFor)";

    private static async Task Write(Visit visit, string label, string text)
    {
        await visit.UntilAsync(Field(label));
        await visit.Page.EvaluateExpressionAsync($"{{ const field = {Field(label)}; field.value = {JsonSerializer.Serialize(text)}; "
            + "field.dispatchEvent(new Event('input', { bubbles: true })); }");
    }

    private static Task Choose(Visit visit, string label, string value) => Write(visit, label, value);
}

using System.Text.Json;
using PuppeteerSharp;
using TrainingService.Host.Tests.OpenApi;

namespace TrainingService.Host.Tests.Pages;

/// <summary>The system's chromium, without a window, for the tests of a class.</summary>
public sealed class Browser : IAsyncLifetime
{
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if (!Tools.Has("chromium"))
            return;
        _browser = await Puppeteer.LaunchAsync(new LaunchOptions
        {
            Browser = SupportedBrowser.Chrome,
            ExecutablePath = "/usr/bin/chromium",
            Headless = true,
            // as root, and where /dev/shm is small, it starts in no other way
            Args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
    }

    /// <summary>A page that has nothing of those before it.</summary>
    public async Task<Visit> VisitAsync(Uri service, int width = 1280, bool isDark = false)
    {
        if (_browser is null && Environment.GetEnvironmentVariable("CI") is not "true")
            Assert.Skip("chromium was not found: install it.");
        var context = await _browser!.CreateBrowserContextAsync();
        var page = await context.NewPageAsync();
        await page.SetViewportAsync(new ViewPortOptions { Width = width, Height = 900 });
        await page.EmulateMediaFeaturesAsync(
            [new MediaFeatureValue { MediaFeature = MediaFeature.PrefersColorScheme, Value = isDark ? "dark" : "light" }]);
        return new(context, page, service);
    }
}

/// <summary>Somebody who looks at the pages.</summary>
public sealed class Visit : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly Uri _service;
    private readonly List<string> _complaints = [];

    public Visit(IBrowserContext context, IPage page, Uri service)
    {
        (_context, Page, _service) = (context, page, service);
        page.PageError += (_, error) => Complain(error.Message);
        page.Console += (_, line) =>
        {
            if (line.Message.Type is ConsoleType.Error)
                Complain(line.Message.Text);
        };
        page.Request += (_, request) =>
        {
            if (!request.Request.Url.StartsWith(service.ToString(), StringComparison.Ordinal)
                && !request.Request.Url.StartsWith("data:", StringComparison.Ordinal))
                Complain($"asks another host: {request.Request.Url}");
        };
    }

    public IPage Page { get; }

    /// <summary>Errors of scripts and of loading, requests to others.</summary>
    public IReadOnlyList<string> Complaints
    {
        get
        {
            lock (_complaints)
                return [.. _complaints];
        }
    }

    public Task GoAsync(string path) => Page.GoToAsync(new Uri(_service, path).ToString());

    /// <summary>Waits until a condition holds, in JavaScript.</summary>
    public async Task UntilAsync(string condition)
    {
        try
        {
            await Page.WaitForFunctionAsync($"() => {condition}", new WaitForFunctionOptions { Timeout = 60_000, PollingInterval = 50 });
        }
        catch (WaitTaskTimeoutException)
        {
            Assert.Fail($"Waited in vain at {Page.Url} for {condition}; {string.Join("; ", Complaints)}");
        }
    }

    public Task<T> AskAsync<T>(string expression) => Page.EvaluateExpressionAsync<T>(expression);

    public Task<string> TextAsync(string selector) =>
        AskAsync<string>($"document.querySelector({JsonSerializer.Serialize(selector)}).innerText");

    /// <summary>What axe finds (WCAG A and AA among it) that keeps people out.</summary>
    public async Task<IReadOnlyList<string>> BarriersAsync()
    {
        var axe = Path.Combine(await Tools.NodeModulesAsync(), "axe-core/axe.min.js");
        await Page.EvaluateExpressionAsync(await File.ReadAllTextAsync(axe));
        return await AskAsync<string[]>("""
            axe.run({ resultTypes: ['violations'] }).then(found => found.violations.filter(one => one.impact === 'serious'
                || one.impact === 'critical').map(one => `${one.id}: ${one.nodes.map(node => node.target.join(' ')).join(', ')}`))
            """);
    }

    /// <summary>How much wider than the window the page is.</summary>
    public Task<int> OverflowAsync() => AskAsync<int>("document.documentElement.scrollWidth - innerWidth");

    public async ValueTask DisposeAsync() => await _context.CloseAsync();

    private void Complain(string what)
    {
        lock (_complaints)
            _complaints.Add(what);
    }
}

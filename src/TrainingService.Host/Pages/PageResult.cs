using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using TrainingService.Host.Http;

namespace TrainingService.Host.Pages;

/// <summary>What every page knows: the request that asked for it.</summary>
public abstract class PageBase : ComponentBase
{
    [Parameter, EditorRequired]
    public HttpContext Http { get; set; } = null!;
}

/// <summary>
/// A page: a component that is written once and sent as a whole. What it shows was read before, by the use cases that answer over HTTP;
/// what moves on it are modules that ask the API. Its tag is the hash of what it says, so that to look again costs little.
/// </summary>
/// <param name="parameters">Of the component.</param>
/// <param name="status">200 unless it tells of a problem.</param>
public sealed class PageResult<T>(Dictionary<string, object?> parameters, int status = StatusCodes.Status200OK) : IResult where T : PageBase
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var loggers = httpContext.RequestServices.GetRequiredService<ILoggerFactory>();
        await using var renderer = new HtmlRenderer(httpContext.RequestServices, loggers);
        var given = ParameterView.FromDictionary(new Dictionary<string, object?>(parameters) { [nameof(PageBase.Http)] = httpContext });
        var text = await renderer.Dispatcher.InvokeAsync(
            async () => (await renderer.RenderComponentAsync<T>(given)).ToHtmlString());
        var bytes = Encoding.UTF8.GetBytes(text);
        var response = httpContext.Response;
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        // what it says depends on who asks
        response.Headers.CacheControl = "private, no-cache";
        response.Headers.Vary = "Cookie, Authorization";
        response.Headers.ETag = $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 12))}\"";
        if (status == StatusCodes.Status200OK)
            // of the use cases, to those who ask the API
            response.Headers.Remove("Retry-After");
        if (status == StatusCodes.Status200OK && EntityTags.NoneMatch(httpContext.Request, response.Headers.ETag.ToString()))
            response.StatusCode = StatusCodes.Status304NotModified;
        else
            await response.Body.WriteAsync(bytes, httpContext.RequestAborted);
    }
}

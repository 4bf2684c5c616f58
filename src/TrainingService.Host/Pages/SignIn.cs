using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using TrainingService.Host.Access;

namespace TrainingService.Host.Pages;

/// <summary>
/// Who looks with a browser signs in with a key, which the browser then sends by itself, in a cookie that no script reads. Each request
/// looks the key up as any other, so there is no session that could outlive it.
/// </summary>
public static class SignIn
{
    private const int LongestKey = 8000;

    /// <summary>The form.</summary>
    public static PageResult<SignInPage> Show([FromQuery(Name = "return")] string? back) =>
        Page(Local(back), null, StatusCodes.Status200OK);

    /// <summary>Whether the key is known shows on the page that one is sent to.</summary>
    public static RedirectHttpResult Enter([FromForm] string? key, [FromForm(Name = "return")] string? back, HttpContext http)
    {
        if (key?.Trim() is { Length: > 0 and <= LongestKey } given && given.All(c => c is > ' ' and <= '~'))
            http.Response.Cookies.Append(KeyAuthentication.Cookie, given, Options(http));
        return See(Local(back));
    }

    public static RedirectHttpResult Leave(HttpContext http)
    {
        Forget(http);
        return See("/sign-in");
    }

    public static PageResult<SignInPage> Page(string back, string? refusal, int status) => new(new()
    {
        [nameof(SignInPage.Back)] = back,
        [nameof(SignInPage.Refusal)] = refusal,
    }, status);

    public static bool HasKey(HttpRequest request) => request.Cookies.ContainsKey(KeyAuthentication.Cookie);

    public static void Forget(HttpContext http) => http.Response.Cookies.Delete(KeyAuthentication.Cookie, Options(http));

    /// <summary>The page that was asked for.</summary>
    public static string Here(HttpRequest request) => HttpMethods.IsGet(request.Method) ? $"{request.Path}{request.QueryString}" : "/";

    /// <summary>Of this service only: nobody may be sent elsewhere by a link.</summary>
    private static string Local(string? address) => address is ['/', ..] and not ['/', '/' or '\\', ..] && !address.Any(char.IsControl)
        ? address : "/";

    private static RedirectHttpResult See(string address) => TypedResults.Redirect(address);

    private static CookieOptions Options(HttpContext http) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Lax,
        Secure = http.Request.IsHttps,
        IsEssential = true,
    };
}

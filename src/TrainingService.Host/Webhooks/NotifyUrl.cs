using System.Net;
using TrainingService.Engine.Specs;
using TrainingService.Host.Http;

namespace TrainingService.Host.Webhooks;

/// <summary>The address that wants to know when a job or a sweep ends.</summary>
public static class NotifyUrl
{
    public const string Setting = "TRAINING_WEBHOOKS", Field = "notifyUrl";
    public const int Longest = 2000;

    /// <summary>As it is called; null of none, and of one that is refused, for an error that is added.</summary>
    public static string? Read(string? text, Reach reach, string place, ICollection<SpecError> errors)
    {
        if (text is null)
            return null;
        var problem = reach is Reach.Off ? $"nobody is notified here: the operator turns it on with {Setting}=public"
            : text.Length > Longest ? $"may have at most {Longest} characters, not {text.Length}"
            : !Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.Host.Length == 0
                || text.Any(char.IsControl)
                ? $"must be an address that begins with http:// or https://, not '{Characters.Shorten(text, 200)}'"
            : uri.UserInfo.Length > 0 ? "must have no user name and no password; put a token into its path or query"
            : reach is Reach.Public && IsPrivate(uri)
                ? $"{uri.Host} is no address that the whole world reaches; the operator allows others with {Setting}=any" : null;
        if (problem is null)
            return new Uri(text).AbsoluteUri;
        errors.Add(new(place, problem));
        return null;
    }

    /// <summary>As far as it can be seen of the address; what a name stands for is looked up whenever it is called.</summary>
    private static bool IsPrivate(Uri uri) => IPAddress.TryParse(uri.DnsSafeHost, out var address) ? !Reaches.IsPublic(address)
        : uri.IdnHost.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || uri.IdnHost.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
}

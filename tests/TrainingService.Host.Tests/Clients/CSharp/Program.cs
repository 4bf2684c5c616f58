namespace Clients;

/// <summary>Runs a job, a sweep and a study to their end by the client that the first argument names, on the second's service.</summary>
internal static class Program
{
    public static async Task Main(string[] arguments)
    {
        using var http = new HttpClient { BaseAddress = new(arguments[1]) };
        await (arguments[0] switch
        {
            "nswag-system-text" => NSwagSystemTextClient.RunAsync(http),
            "nswag-newtonsoft" => NSwagNewtonsoftClient.RunAsync(http),
            _ => KiotaMadeClient.RunAsync(http),
        });
        Console.WriteLine("all came to their end");
    }

    public static void Check(bool isRight, string what)
    {
        if (!isRight)
            throw new InvalidOperationException($"wrong: {what}");
    }
}

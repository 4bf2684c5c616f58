using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Datasets;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Uploads;

internal static class UploadClient
{
    /// <summary>Sends a text as the file of a form with other fields.</summary>
    public static Task<Answer> Upload(this HttpClient http, string path, string csv, params (string Name, string Value)[] fields) =>
        http.Upload("POST", path, [("file", "made.csv", Encoding.UTF8.GetBytes(csv))], fields);

    public static async Task<Answer> Upload(this HttpClient http, string method, string path,
        (string Field, string Name, byte[] Content)[] files,
        params (string Name, string Value)[] fields)
    {
        using var form = new MultipartFormDataContent();
        foreach (var (name, value) in fields)
            form.Add(new StringContent(value), name);
        foreach (var (field, name, content) in files)
            form.Add(new ByteArrayContent(content), field, name);
        using var request = new HttpRequestMessage(new(method), new Uri(path, UriKind.Relative)) { Content = form };
        using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return new((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, text, response.Headers);
    }

    /// <summary>A data set that was brought, as a worker reads it.</summary>
    public static async Task<StoredDataset> BroughtAsync(this Service service, string name)
    {
        await using var db = service.NewDbContext();
        var version = await db.DatasetVersions.AsNoTracking().SingleAsync(v => v.Name == name, TestContext.Current.CancellationToken);
        var schema = (await db.DatasetContents.AsNoTracking().SingleAsync(c => c.Id == version.ContentId,
            TestContext.Current.CancellationToken)).Schema;
        IReadOnlyList<byte[]> chunks = await db.DatasetChunks.AsNoTracking().Where(c => c.ContentId == version.ContentId)
            .OrderBy(c => c.Number).Select(c => c.Packed).ToListAsync(TestContext.Current.CancellationToken);
        return new(version, schema, _ => Task.FromResult(chunks), new());
    }

    /// <summary>A table of three classes that can be learned, with everything in it that columns may be.</summary>
    public static string Flowers(int rows, int seed = 1, string classes = "abc")
    {
        var random = new Random(seed);
        var csv = new StringBuilder("length,width,color,seen,wild,kind\n");
        for (var i = 0; i < rows; i++)
        {
            var kind = i % classes.Length;
            csv.Append(CultureInfo.InvariantCulture, $"{kind + random.NextDouble():0.00},")
                .Append(CultureInfo.InvariantCulture, $"{(i % 10 == 3 ? "" : $"{kind * 2 + random.Next(3)}")},")
                .Append(CultureInfo.InvariantCulture, $"{"rgb"[random.Next(3)]},2021-{1 + i % 12:00}-{1 + i % 28:00},")
                .Append(CultureInfo.InvariantCulture, $"{(random.Next(2) == 0 ? "yes" : "no")},{classes[kind]}\n");
        }
        return csv.ToString();
    }
}

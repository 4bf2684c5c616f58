using System.Net.Http.Headers;

namespace TrainingService.Client;

public sealed partial class DatasetsClient
{
    /// <summary>Brings a file as a data set.</summary>
    /// <param name="path">A table: CSV, Parquet, npy, npz, IDX, JSON Lines or ARFF, alone or in gzip or zip.</param>
    /// <param name="target">The column to predict.</param>
    /// <param name="name">What jobs call it; null for the file's name.</param>
    /// <param name="fields">Further fields of the form, such as <c>("groupBy", "patient")</c>.</param>
    /// <param name="cancellation">Ends the upload.</param>
    public Task<DatasetDetails> UploadAsync(string path, string target, string? name = null,
        IEnumerable<(string Name, string Value)>? fields = null, CancellationToken cancellation = default) =>
        FormAsync<DatasetDetails>(HttpMethod.Post, "api/v1/datasets", path,
            [("target", target), .. name is null ? [] : ((string, string)[])[("name", name)], .. fields ?? []], cancellation);

    /// <summary>Looks at a file without storing it.</summary>
    /// <inheritdoc cref="UploadAsync"/>
    public Task<DatasetInspection> InspectAsync(string path, string? target = null,
        IEnumerable<(string Name, string Value)>? fields = null, CancellationToken cancellation = default) =>
        FormAsync<DatasetInspection>(HttpMethod.Post, "api/v1/datasets/inspect", path,
            [.. target is null ? [] : ((string, string)[])[("target", target)], .. fields ?? []], cancellation);

    /// <summary>Brings a new version of a data set.</summary>
    /// <param name="name">The data set's name.</param>
    /// <param name="path">The file.</param>
    /// <param name="fields">Fields of the form; what is left out is as for the version before.</param>
    /// <param name="cancellation">Ends the upload.</param>
    public Task<DatasetDetails> ReplaceAsync(string name, string path, IEnumerable<(string Name, string Value)>? fields = null,
        CancellationToken cancellation = default) =>
        FormAsync<DatasetDetails>(HttpMethod.Put, $"api/v1/datasets/{Address.Of(name)}", path, fields ?? [], cancellation);

    private async Task<T> FormAsync<T>(HttpMethod method, string address, string path, IEnumerable<(string Name, string Value)> fields,
        CancellationToken cancellation)
    {
        using var form = new MultipartFormDataContent();
        foreach (var (field, value) in fields)
            form.Add(new StringContent(value), field);
        var file = new StreamContent(File.OpenRead(path));
        file.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        form.Add(file, "file", Path.GetFileName(path));
        return await _connection.SendFormAsync<T>(method, address, form, cancellation).ConfigureAwait(false);
    }
}

using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using TrainingService.Host.Data;

namespace TrainingService.Host.Models;

public static class DownloadModel
{
    /// <summary>Download a model</summary>
    /// <remarks>As `GET /jobs/{id}/model` of the job that the name stands for now.</remarks>
    /// <param name="name">Its name.</param>
    /// <param name="format">onnx (default), safetensors or json.</param>
    /// <response code="200">The file.</response>
    /// <response code="410">The job was deleted, or its weights retired.</response>
    public static async Task<Results<PushStreamHttpResult, ProblemHttpResult>> Handle(string name,
        [FromQuery, RegularExpression(ModelFormats.Pattern), DefaultValue("onnx")] string? format, TrainingDbContext db,
        CancellationToken cancellation)
    {
        if (ModelFormats.Read(format) is not { } wanted)
            return ModelFormats.Unknown(format);
        var (source, problem) = await RegisteredModels.FindAsync(db, name, cancellation);
        return source is null ? problem ?? RegisteredModels.NotFound(name)
            : await GetModel.FileAsync(source, wanted, db, cancellation);
    }
}

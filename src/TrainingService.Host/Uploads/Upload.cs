using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Tables;

namespace TrainingService.Host.Uploads;

/// <summary>What happens to a file after its form was read.</summary>
internal static class Upload
{
    /// <summary>Unpacks, reads and plans the table, and hands it on; faults of the file are a 400.</summary>
    public static async Task<T> Read<T>(UploadForm form, UploadFields fields, UploadLimits limits,
        Func<TableFile, TablePlan, Task<T>> then, Func<ProblemHttpResult, T> refuse, CancellationToken cancellation)
    {
        await limits.Readers.WaitAsync(cancellation);
        try
        {
            using var unpacker = new Unpacker(limits.Folder, limits.UnpackedBytes);
            var file = Open(UploadForm.FileField, form, fields, unpacker, cancellation);
            if (form.Files(UploadForm.TestFileField).Count > 0)
                file = file.With(Open(UploadForm.TestFileField, form, fields, unpacker, cancellation));
            var profile = TableProfile.Of(file.Open, file.Options, cancellation);
            return await then(file, TablePlan.Of(profile, file.Open, file.Options, cancellation));
        }
        catch (TableException e)
        {
            return refuse(Problems.Invalid(e.Errors.ToList()));
        }
        finally
        {
            limits.Readers.Release();
        }
    }

    public static DatasetInspection Inspect(UploadFields fields, TableFile file, TablePlan plan, CancellationToken cancellation)
    {
        if (plan.Problems.Count > 0)
            return DatasetInspection.Of(fields, file, plan, []);
        var encoder = new TableEncoder(plan);
        foreach (var _ in encoder.Encode(file.Open, pack: false, cancellation))
        {
        }
        TestRows.Of(plan, encoder);
        return DatasetInspection.Of(fields, file, plan, encoder.Leaks.Found());
    }

    /// <summary>Stores a version of a name; null and why not, if the name is taken or, to be replaced, is not there.</summary>
    public static async Task<(Dataset? Stored, ProblemHttpResult Problem)> Store(UploadForm form, UploadFields fields, TableFile file,
        TablePlan plan,
        bool isNew, TrainingDbContext db, DatasetRegistry datasets, TimeProvider clock, CancellationToken cancellation)
    {
        if (datasets.All.Any(dataset => dataset.Name == fields.Name))
            return (null, Problems.Conflict($"'{fields.Name}' is a built-in data set: choose another name"));
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var now = clock.GetUtcNow();
        try
        {
            var (content, sha256, leaks) = await DatasetStore.WriteAsync(db, file, plan, now, cancellation);
            var own = View.Current.Owner;
            var last = await db.DatasetVersions.AsNoTracking().Where(v => v.Name == fields.Name && v.Owner == own)
                .OrderByDescending(v => v.Version).FirstOrDefaultAsync(cancellation);
            if (isNew && last is not null && last.Sha256 != sha256)
                return (null, Problems.Conflict($"there is a data set '{fields.Name}' with other content: PUT "
                    + $"{DatasetRoutes.Root}/{fields.Name} "
                    + "makes a new version of it, or choose another name"));
            if (last?.Sha256 != sha256)
            {
                var warnings = plan.Warnings.ToList();
                warnings.AddRange(leaks.Where(leak => !warnings.Exists(w => (w.Kind, w.Column) == (leak.Kind, leak.Column))));
                db.DatasetVersions.Add(new()
                {
                    Name = fields.Name,
                    Version = (last?.Version ?? 0) + 1,
                    Visibility = fields.Visibility ?? last?.Visibility ?? Visibility.Private,
                    ContentId = content,
                    Sha256 = sha256,
                    CreatedAt = now,
                    Facts = new()
                    {
                        Description = fields.Description,
                        License = fields.License,
                        Source = fields.Source,
                        Files = form.Described,
                        Options = fields.Table,
                        Warnings = warnings,
                    },
                });
                await db.SaveChangesAsync(cancellation);
            }
            if (fields.Visibility is { } visibility)
                await db.DatasetVersions.Where(v => v.Name == fields.Name && v.Owner == own && v.Visibility != visibility)
                    .ExecuteUpdateAsync(set => set.SetProperty(v => v.Visibility, visibility), cancellation);
            await transaction.CommitAsync(cancellation);
        }
        catch (DbUpdateException e) when (IsTaken(e))
        {
            return (null, Problems.Conflict("another upload of the same name or content ends at this moment: send it again"));
        }
        catch (PostgresException e) when (IsTaken(e))
        {
            return (null, Problems.Conflict("another upload of the same name or content ends at this moment: send it again"));
        }
        return (datasets.Find(fields.Name), Problems.Conflict($"'{fields.Name}' has been deleted meanwhile"));
    }

    private static bool IsTaken(Exception? e) =>
        e is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } || e is { InnerException: { } inner } && IsTaken(inner);

    private static TableFile Open(string field, UploadForm form, UploadFields fields, Unpacker unpacker, CancellationToken cancellation)
    {
        IReadOnlyList<DataFile> files = [.. form.Files(field).SelectMany(file => unpacker.Unpack(file, cancellation))];
        return TableFile.Of(files, fields.Format, fields.Table);
    }
}

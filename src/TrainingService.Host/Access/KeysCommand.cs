using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Access;

/// <summary>Makes an access key straight in the database: the first one, or one in the place of all that were lost.</summary>
internal static class KeysCommand
{
    public static async Task<int> Create(string name, string scope)
    {
        try
        {
            if (name.Length is 0 or > 100)
                throw new StartRefusedException("A key's name has 1 to 100 characters.");
            if (name is Owned.Nobodys)
                throw new StartRefusedException($"'{Owned.Nobodys}' is nobody: lists call so what is nobody's.");
            if (!Enum.TryParse<Scope>(scope, ignoreCase: true, out var allowed) || !Enum.IsDefined(allowed) || char.IsDigit(scope[0]))
                throw new StartRefusedException($"Unknown scope '{scope}'; scopes are read, submit, admin"
                    + Names.DidYouMean(scope, ["read", "submit", "admin"]));
            var connection = new ConfigurationBuilder().AddEnvironmentVariables().Build().TrainingConnectionString();
            await using var db = new TrainingDbContext(
                new DbContextOptionsBuilder<TrainingDbContext>().UseTrainingDatabase(connection).Options);
            if (await Database.SchemaProblem(db, CancellationToken.None) is { } problem)
                throw new StartRefusedException(problem);
            var (row, key) = ApiKey.Create(name, name, allowed, null, DateTimeOffset.UtcNow);
            db.ApiKeys.Add(row);
            await db.SaveChangesAsync();
            await Console.Error.WriteLineAsync($"The key '{name}' of scope {scope.ToLowerInvariant()}; it is told this once:");
            Console.WriteLine(key);
            return 0;
        }
        catch (StartRefusedException refusal)
        {
            await Console.Error.WriteLineAsync(refusal.Message);
            return 1;
        }
        catch (Exception e) when (Database.IsOutage(e))
        {
            await Console.Error.WriteLineAsync($"Postgres can't be reached ({e.GetBaseException().Message}): check "
                + "ConnectionStrings__Training and that the server runs.");
            return 1;
        }
    }
}

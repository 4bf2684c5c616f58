using System.Globalization;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Jobs;

public sealed class VerifyJobTests(Service service)
{
    [Fact]
    public async Task A_second_run_is_equal_bit_for_bit()
    {
        var id = await service.Http.SubmitAsync(epochs: 2, everySteps: 10);
        var job = await service.Http.WaitForEndAsync(id);
        var result = job.GetProperty("result");
        Assert.Contains(result.GetProperty("instructionSet").GetString(), (string[])["avx512", "avx2", "scalar"]);
        Assert.NotEmpty(result.GetProperty("engineVersion").GetString()!);
        Assert.Equal((await service.Http.GetAnswer("/api/v1/datasets/digits"))["sha256"].GetString(),
            result.GetProperty("datasetSha256").GetString());

        var accepted = await service.Http.Send("POST", $"/api/v1/jobs/{id}/verify");
        Assert.Equal((202, $"/api/v1/jobs/{accepted.Id}/verification"), (accepted.Status, accepted.Headers.Location!.ToString()));
        Assert.Equal((JsonValueKind.Null, id), (accepted["equal"].ValueKind, accepted["verifies"].GetGuid()));
        var rerun = await service.Http.WaitForEndAsync(Guid.Parse(accepted.Id));
        Assert.Equal(id, rerun.GetProperty("verifies").GetGuid());

        var verification = await Verification(accepted.Id);
        Assert.True(verification["equal"].GetBoolean(), verification.Text);
        Assert.StartsWith("Equal bit for bit", verification["summary"].GetString(), StringComparison.Ordinal);
        Assert.Empty(verification["differences"].EnumerateArray());
        Assert.Empty(verification["circumstances"].EnumerateArray());
        Assert.Equal(JsonValueKind.Null, verification["likelyCause"].ValueKind);
    }

    [Fact]
    public async Task What_was_changed_behind_its_back_is_named_with_place_and_values()
    {
        var id = await service.Http.SubmitAsync(epochs: 1, everySteps: 10);
        await service.Http.WaitForEndAsync(id);
        await using var db = service.NewDbContext();
        float rms = (await db.Layers.SingleAsync(r => r.JobId == id && r.Step == 10 && r.Layer == 1, Cancel)).RmsActivation,
            next = MathF.BitIncrement(rms);
        await db.Layers.Where(r => r.JobId == id && r.Step == 10 && r.Layer == 1)
            .ExecuteUpdateAsync(set => set.SetProperty(r => r.RmsActivation, next), Cancel);
        await db.Layers.Where(r => r.JobId == id && r.Layer == 2)
            .ExecuteUpdateAsync(set => set.SetProperty(r => r.Sparsity, float.NaN), Cancel);
        await db.Metrics.Where(r => r.JobId == id && r.Step == 0).ExecuteDeleteAsync(Cancel);
        var job = await db.Jobs.SingleAsync(j => j.Id == id, Cancel);
        job.Result = job.Result! with { WeightsSha256 = new('0', 64), EngineVersion = "0.0.1" };
        await db.SaveChangesAsync(Cancel);

        var verification = await VerifyToTheEnd(id);
        Assert.False(verification["equal"].GetBoolean());
        var differences = verification["differences"].EnumerateArray().ToDictionary(d => d.GetProperty("what").GetString()!);
        Assert.Equal(4, differences.Count);
        Assert.Equal(new('0', 64), differences["result.weightsSha256"].GetProperty("original").GetString());
        var changed = differences["job_layers.rms_activation at step 10, layer 1"];
        Assert.Equal((next, rms), (Number(changed, "original"), Number(changed, "rerun")));
        var sparsity =
            differences.Single(d => d.Key.StartsWith("job_layers.sparsity at step 0, layer 2 (and ", StringComparison.Ordinal)).Value;
        Assert.Equal("NaN", sparsity.GetProperty("original").GetString());
        Assert.Contains("job_metrics, rows that only one of them has: 2", differences.Keys);
        Assert.Equal("engineVersion", Assert.Single(verification["circumstances"].EnumerateArray()).GetProperty("what").GetString());
        Assert.Contains("version of the engine", verification["likelyCause"].GetString(), StringComparison.Ordinal);

        static float Number(JsonElement difference, string side) =>
            float.Parse(difference.GetProperty(side).GetString()!, CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task A_diverged_run_diverges_again_in_the_same_way()
    {
        var id = await service.Http.SubmitAsync(epochs: 5, everySteps: 1, learningRate: 1e30);
        await service.Http.WaitForEndAsync(id);
        var verification = await VerifyToTheEnd(id);
        Assert.Equal("failed", verification["status"].GetString());
        Assert.True(verification["equal"].GetBoolean(), verification.Text);
    }

    [Fact]
    public async Task Another_data_set_or_instruction_set_is_told_and_is_no_difference_by_itself()
    {
        var id = await service.Http.SubmitAsync();
        await service.Http.WaitForEndAsync(id);
        await using var db = service.NewDbContext();
        var job = await db.Jobs.SingleAsync(j => j.Id == id, Cancel);
        job.Result = job.Result! with { InstructionSet = "neon" };
        await db.SaveChangesAsync(Cancel);
        var verification = await VerifyToTheEnd(id);
        Assert.True(verification["equal"].GetBoolean(), verification.Text);
        Assert.Equal("neon", Assert.Single(verification["circumstances"].EnumerateArray()).GetProperty("original").GetString());
    }

    [Fact]
    public async Task What_has_no_result_can_not_be_verified()
    {
        (await service.Http.Send("POST", $"/api/v1/jobs/{Guid.Empty}/verify")).MustBeProblem(404, "not-found");
        var running = await service.Http.SubmitAsync(Client.Hours);
        (await service.Http.Send("POST", $"/api/v1/jobs/{running}/verify")).MustBeProblem(409, "conflict");
        await service.Http.Send("POST", $"/api/v1/jobs/{running}/cancel");
        await service.Http.WaitForEndAsync(running);
        var canceled = await service.Http.Send("POST", $"/api/v1/jobs/{running}/verify");
        canceled.MustBeProblem(409, "conflict");
        Assert.Contains("canceled", canceled["detail"].GetString(), StringComparison.Ordinal);
        (await service.Http.GetAnswer($"/api/v1/jobs/{running}/verification")).MustBeProblem(404, "not-found");
        await using var db = service.NewDbContext();
        Assert.False(await db.Jobs.AnyAsync(j => j.Verifies == running, Cancel));
    }

    [Fact]
    public async Task A_deleted_original_leaves_nothing_to_compare()
    {
        var id = await service.Http.SubmitAsync();
        await service.Http.WaitForEndAsync(id);
        var accepted = await service.Http.Send("POST", $"/api/v1/jobs/{id}/verify");
        await service.Http.WaitForEndAsync(Guid.Parse(accepted.Id));
        Assert.Equal(204, (await service.Http.Send("DELETE", $"/api/v1/jobs/{id}")).Status);
        var verification = await Verification(accepted.Id);
        Assert.Equal(JsonValueKind.Null, verification["equal"].ValueKind);
        Assert.Contains("is gone", verification["summary"].GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_repeated_key_starts_one_run()
    {
        var id = await service.Http.SubmitAsync();
        await service.Http.WaitForEndAsync(id);
        (string, string) key = ("Idempotency-Key", Guid.NewGuid().ToString());
        var first = await service.Http.Send("POST", $"/api/v1/jobs/{id}/verify", headers: key);
        var second = await service.Http.Send("POST", $"/api/v1/jobs/{id}/verify", headers: key);
        Assert.Equal((202, first.Text), (second.Status, second.Text));
        await using var db = service.NewDbContext();
        Assert.Equal(1, await db.Jobs.CountAsync(j => j.Verifies == id, Cancel));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private async Task<Answer> VerifyToTheEnd(Guid id)
    {
        var accepted = await service.Http.Send("POST", $"/api/v1/jobs/{id}/verify");
        Assert.True(accepted.Status == 202, accepted.Text);
        await service.Http.WaitForEndAsync(Guid.Parse(accepted.Id));
        return await Verification(accepted.Id);
    }

    private async Task<Answer> Verification(string id)
    {
        var answer = await service.Http.GetAnswer($"/api/v1/jobs/{id}/verification");
        Assert.True(answer.Status == 200, answer.Text);
        return answer;
    }
}

using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Sweeps;

public sealed class SweepImportanceTests(Service service)
{
    [Fact]
    public async Task Tells_which_field_a_result_depends_on()
    {
        var id = await service.Http.SubmitSweep("""
            {"base": {"dataset": "iris", "model": {"hiddenLayers": [8]}, "training": {"epochs": 3}}, "seedCount": 2,
             "grid": {"/training/optimizer/learningRate": [0.00001, 0.1],
                      "/model/activation": ["relu", {"name": "leaky_relu", "negativeSlope": 0.1}], "/training/batchSize": [16, 17]}}
            """);
        await service.Http.WaitForSweepEnd(id);
        var answer = await service.Http.GetAnswer($"{SweepClient.Root}/{id}/importance?result=trainLoss");
        Assert.True(answer.Status == 200, answer.Text);
        var fields = answer["fields"].EnumerateArray().ToList();
        Assert.Equal("training.optimizer.learningRate", fields[0].GetProperty("field").GetString());
        Assert.True(fields[0].GetProperty("share").GetDouble() > 0.5);
        // a slope is part of its activation: neither goes with all values of the other
        Assert.Equal(["model.activation", "training.batchSize", "training.optimizer.learningRate"],
            fields.Select(field => field.GetProperty("field").GetString()).Order());
        Assert.Equal((16, 0, 8, true), (answer["runs"].GetInt32(), answer["leftOut"].GetInt32(), answer["combinations"].GetInt32(),
            answer["full"].GetBoolean()));
        var sum = fields.Sum(field => field.GetProperty("share").GetDouble()) + answer["more"].GetDouble() + answer["seeds"].GetDouble()
            + answer["pairs"].EnumerateArray().Sum(pair => pair.GetProperty("share").GetDouble());
        Assert.InRange(sum, 0.9, 1.001);
        Assert.Equal("testAccuracy", (await service.Http.GetAnswer($"{SweepClient.Root}/{id}/importance"))["result"].GetString());
        var wrong = await service.Http.GetAnswer($"{SweepClient.Root}/{id}/importance?result=trainLos");
        Assert.Contains("did you mean 'trainLoss'", wrong.Error("/result"), StringComparison.Ordinal);
    }
}

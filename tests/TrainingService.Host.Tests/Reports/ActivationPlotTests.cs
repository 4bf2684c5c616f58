using System.Xml.Linq;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Reports;

[Collection(nameof(ApiOnly))]
public sealed class ActivationPlotTests(ApiOnly api)
{
    [Fact]
    public async Task Value_and_derivative_are_those_of_the_parameters_in_the_query()
    {
        var path = "/api/v1/activations/leaky_relu/plot.svg?negativeSlope=0.5";
        var answer = await api.Http.GetAnswer(path);
        Assert.Equal((200, "image/svg+xml"), (answer.Status, answer.MediaType));
        var description = XElement.Parse(answer.Text).Elements().Single(e => e.Name.LocalName == "desc").Value;
        Assert.Contains("f: from −3 at −6 to 6 at 6", description, StringComparison.Ordinal);
        Assert.Contains("f′: from 0.5 at −6 to 1 at 6", description, StringComparison.Ordinal);
        Assert.Equal(304, (await api.Http.GetAnswer(path, ("If-None-Match", answer.ETag!))).Status);
    }

    [Fact]
    public async Task Every_activation_can_be_drawn()
    {
        foreach (var item in (await api.Http.GetAnswer("/api/v1/activations"))["items"].EnumerateArray())
            Assert.Equal(200, (await api.Http.GetAnswer($"/api/v1/activations/{item.GetProperty("name").GetString()}/plot.svg")).Status);
    }

    [Fact]
    public async Task An_unknown_name_is_a_404_with_the_nearest_and_a_bad_parameter_a_400()
    {
        var unknown = await api.Http.GetAnswer("/api/v1/activations/leaky_rely/plot.svg");
        unknown.MustBeProblem(404, "not-found");
        Assert.Contains("did you mean 'leaky_relu'", unknown["detail"].GetString(), StringComparison.Ordinal);
        (await api.Http.GetAnswer("/api/v1/activations/relu/plot.svg?negativeSlope=0.5")).MustBeProblem(400, "validation");
    }
}

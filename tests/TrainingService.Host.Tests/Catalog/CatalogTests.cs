using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Catalog;

[Collection(nameof(ApiOnly))]
public sealed class CatalogTests(ApiOnly api)
{
    [Theory]
    [InlineData("activations", "leaky_relu", "gelu")]
    [InlineData("initializers", "kaiming_normal", "zeros")]
    public async Task Lists_are_sorted_and_every_entry_can_be_read_by_name_and_alias(string kind, params string[] some)
    {
        var list = await api.Http.GetAnswer($"/api/v1/{kind}");
        var items = list["items"].EnumerateArray().ToList();
        var names = items.Select(i => i.GetProperty("name").GetString()!).ToList();
        Assert.Equal(names.Order(StringComparer.Ordinal), names);
        Assert.Subset(names.ToHashSet(), some.ToHashSet());
        foreach (var item in items)
            foreach (var name in item.GetProperty("aliases").EnumerateArray().Append(item.GetProperty("name")))
                Assert.Equal(item.ToString(), (await api.Http.GetAnswer($"/api/v1/{kind}/{name}")).Json.ToString());
    }

    [Fact]
    public async Task Fields_are_enough_for_a_form_and_their_defaults_are_what_a_job_gets()
    {
        var fields = (await api.Http.GetAnswer("/api/v1/fields"))["items"].EnumerateArray()
            .ToDictionary(field => field.GetProperty("place").GetString()!);
        Assert.Equal(["none", "batch_norm", "layer_norm"],
            fields["/model/normalization"].GetProperty("words").EnumerateArray().Select(word => word.GetString()));
        var dropout = fields["/model/dropout"];
        Assert.Equal(("number", 0.0, 1.0), (dropout.GetProperty("kind").GetString(), dropout.GetProperty("least").GetDouble(),
            dropout.GetProperty("below").GetDouble()));
        Assert.Equal("integer", fields["/training/earlyStopping/patience"].GetProperty("kind").GetString());
        foreach (var (place, name, parameter) in ((string, string, string)[])[("/training/optimizer", "adamw", "/weightDecay"),
            ("/training/schedule", "cosine", "/warmupSteps"), ("/model/activation", "leaky_relu", "/negativeSlope"),
            ("/model/biasInitializer", "constant", "/value")])
        {
            var choice = fields[place].GetProperty("choices").EnumerateArray().Single(one => one.GetProperty("name").GetString() == name);
            Assert.Contains(parameter,
                choice.GetProperty("parameters").EnumerateArray().Select(one => one.GetProperty("place").GetString()));
        }
        var spec = (await api.Http.Send("POST", "/api/v1/jobs/validate", """{"dataset": "digits"}"""))["spec"];
        foreach (var (place, field) in fields)
        {
            var resolved = place.Split('/').Skip(1).Aggregate((System.Text.Json.JsonElement?)spec, (at, key) =>
                at is { ValueKind: System.Text.Json.JsonValueKind.Object } part && part.TryGetProperty(key, out var inner) ? inner : null);
            // what is found out by itself is told as it was found
            if (field.GetProperty("default") is { ValueKind: not System.Text.Json.JsonValueKind.Null } standard && resolved is { } value
                && standard.ToString() != "auto")
                Assert.True(System.Text.Json.JsonElement.DeepEquals(standard, value), $"{place}: {standard}, but a job gets {value}");
        }
    }

    [Theory]
    [InlineData("leaky_relu?negativeSlope=0.2", 1.3868, 1.3868, 1.3868)]
    [InlineData("relu", 1.4142, 1.4142, 1.4142)]
    [InlineData("tanh", 1.5925, 1.4674, 5.0 / 3)]
    [InlineData("sigmoid", 1.8462, 4.7226, 1.0)]
    [InlineData("gelu", 1.5335, 1.4811, null)]
    public async Task Gains_are_those_of_the_parameters_in_the_query(string path, double forward, double backward, double? torch)
    {
        var activation = await api.Http.GetAnswer($"/api/v1/activations/{path}");
        Assert.InRange(activation["costRelativeToRelu"].GetDouble(), 0.9, 1.2);
        Assert.Contains("AVX-512", activation["costMeasuredOn"].GetString());
        var gains = activation["gains"];
        Assert.Equal(forward, gains.GetProperty("forward").GetDouble(), 4);
        Assert.Equal(backward, gains.GetProperty("backward").GetDouble(), 4);
        if (torch is null)
            Assert.Equal(System.Text.Json.JsonValueKind.Null, gains.GetProperty("torch").ValueKind);
        else
            Assert.Equal(torch.Value, gains.GetProperty("torch").GetDouble(), 4);
    }

    [Theory]
    [InlineData("activations/sigmoid", "No gain preserves both directions")]
    [InlineData("activations/softplus", "No gain preserves both directions")]
    [InlineData("activations/selu", "self-normalisation (Klambauer et al. 2017) wants 1")]
    [InlineData("activations/selu", "alpha_dropout")]
    [InlineData("activations/gelu", "is unstable")]
    [InlineData("activations/silu", "is unstable")]
    [InlineData("activations/mish", "is unstable")]
    [InlineData("activations/hard_silu", "From 15 hidden layers on")]
    [InlineData("activations/softsign", "PyTorch's table has no gain for it")]
    [InlineData("initializers/kaiming_uniform", "3/4 for selu")]
    [InlineData("initializers/auto", "no gain preserves activations and gradients both")]
    [InlineData("initializers/zeros", "alike")]
    [InlineData("activations/relu", null)]
    [InlineData("activations/tanh", null)]
    [InlineData("activations/leaky_relu?negativeSlope=0.2", null)]
    [InlineData("initializers/normal", null)]
    public async Task Notes_say_what_theory_knows(string path, string? part)
    {
        var notes = (await api.Http.GetAnswer($"/api/v1/{path}"))["notes"].EnumerateArray().Select(note => note.GetString() ?? "");
        if (part is null)
            Assert.Empty(notes);
        else
            Assert.Contains(notes, note => note.Contains(part, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("activations/leaky_rely", "did you mean 'leaky_relu'")]
    [InlineData("initializers/he_norml", "did you mean 'he_normal'")]
    public async Task An_unknown_name_is_404_with_the_nearest(string path, string part)
    {
        var answer = await api.Http.GetAnswer($"/api/v1/{path}");
        answer.MustBeProblem(404, "not-found");
        Assert.Contains(part, answer["detail"].GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("activations/leaky_relu?negativeSlop=1", "/negativeSlop", "did you mean 'negativeSlope'")]
    [InlineData("activations/leaky_relu?name=relu", "/name", "unknown query parameter")]
    [InlineData("activations/relu?alpha=2", "/alpha", "has no parameter")]
    [InlineData("activations/leaky_relu?negativeSlope=NaN", "/negativeSlope", "finite")]
    [InlineData("activations/elu?alpha=x", "/alpha", "number")]
    [InlineData("initializers?x=1", "/x", "there are none")]
    public async Task A_parameter_that_makes_no_sense_is_400(string path, string pointer, string part)
    {
        var answer = await api.Http.GetAnswer($"/api/v1/{path}");
        answer.MustBeProblem(400, "validation");
        Assert.Contains(part, answer.Error(pointer), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_client_has_costs_a_304()
    {
        var list = await api.Http.GetAnswer("/api/v1/activations");
        Assert.NotNull(list.Headers.CacheControl?.MaxAge);
        Assert.Equal(304, (await api.Http.GetAnswer("/api/v1/activations", ("If-None-Match", list.ETag!))).Status);
    }
}

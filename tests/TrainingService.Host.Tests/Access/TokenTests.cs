using TrainingService.Host.Access;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Access;

/// <summary>Who may do what with the tokens of a login service.</summary>
public sealed class TokenTests(Service service) : IAsyncLifetime
{
    private const string Job = """{"dataset": "iris", "training": {"epochs": 1}}""";

    private string _database = "";
    private Issuer _issuer = null!;

    public async ValueTask InitializeAsync() =>
        (_database, _issuer) = (await service.CreateMigratedDatabaseAsync(), await Issuer.StartAsync());

    public async ValueTask DisposeAsync()
    {
        await _issuer.DisposeAsync();
        await service.Postgres.DropDatabaseAsync(_database);
    }

    [Fact]
    public async Task Roles_allow_what_their_scope_allows_and_keys_are_taken_beside_tokens()
    {
        await using var host = await HostAsync();
        Assert.Equal(401, (await host.Http.GetAnswer("/api/v1/jobs")).Status);
        foreach (var (role, jobs, posted, keys) in new[] { ("read", 200, 403, 403), ("submit", 200, 202, 403), ("admin", 200, 202, 200) })
        {
            var token = Bearer(_issuer.Token(new() { ["roles"] = new[] { "else", role } }));
            Assert.Equal(jobs, (await host.Http.GetAnswer("/api/v1/jobs", token)).Status);
            Assert.Equal(posted, (await host.Http.PostJob(Job, token)).Status);
            Assert.Equal(keys, (await host.Http.GetAnswer("/api/v1/keys", token)).Status);
        }
        var refused = await host.Http.PostJob(Job, Bearer(_issuer.Token()));
        Assert.Contains("This access token has the scope 'read'", refused["detail"].GetString(), StringComparison.Ordinal);
        var made = await host.Http.Send("POST", "/api/v1/keys", """{"name": "beside", "scopes": ["read"]}""",
            Bearer(_issuer.Token(new() { ["roles"] = "admin" })));
        Assert.Equal(200, (await host.Http.GetAnswer("/api/v1/jobs", Bearer(made["key"].GetString()!))).Status);
        (await host.Http.GetAnswer("/api/v1/jobs", Bearer("tsk_a.b.c"))).MustBeProblem(401, "unauthorized");
        Assert.Contains($"a token of {_issuer.Address}/ for training", host.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("operators=admin", 204)]
    [InlineData("students=read", 409)]
    public async Task The_last_admin_key_may_go_where_tokens_make_admins(string scopes, int status)
    {
        var (_, _, output) = await HostProcess.RunAsync(["keys", "create", "operator"],
            new Dictionary<string, string?> { ["ConnectionStrings__Training"] = _database });
        await using var host = await HostAsync(new() { [TokenSettings.ScopesSetting] = scopes });
        var key = Bearer(output.Split().Single(word => word.StartsWith("tsk_", StringComparison.Ordinal)));
        var only = Assert.Single((await host.Http.GetAnswer("/api/v1/keys", key))["items"].EnumerateArray());
        Assert.Equal(status, (await host.Http.Send("DELETE", $"/api/v1/keys/{only.GetProperty("id").GetString()}", null, key)).Status);
    }

    [Fact]
    public async Task A_token_that_breaks_a_rule_is_refused_by_that_rule_and_told_nowhere()
    {
        await using var host = await HostAsync();
        long At(int minutes) => DateTimeOffset.UtcNow.AddMinutes(minutes).ToUnixTimeSeconds();
        foreach (var (token, status, told) in new (string, int, string)[]
        {
            (_issuer.Token(new() { ["iss"] = "https://elsewhere.example" }), 401, "another issuer"),
            (_issuer.Token(new() { ["aud"] = "mail" }), 401, "audience ('aud') must be 'training'"),
            (_issuer.Token(new() { ["aud"] = null }), 401, "audience ('aud') must be 'training'"),
            (_issuer.Token(new() { ["exp"] = At(-10) }), 401, "expired on"),
            (_issuer.Token(new() { ["exp"] = null }), 401, "never expires"),
            (_issuer.Token(new() { ["nbf"] = At(10) }), 401, "valid from"),
            (_issuer.Token(otherKey: true), 401, "signature"),
            (_issuer.Token(algorithm: "none"), 401, "signature"),
            (_issuer.Token(algorithm: "HS256"), 401, ""),
            (_issuer.Token() + "x", 401, "signature"),
            ("eyJ.eyJ.eyJ", 401, "no token that can be read"),
            (_issuer.Token(new() { ["roles"] = new[] { "guest" } }), 403, "none of the roles read, submit, admin"),
            (_issuer.Token(new() { ["roles"] = null }), 403, "none of the roles"),
            (_issuer.Token(new() { ["sub"] = null }), 403, "does not tell whose it is"),
        })
        {
            var answer = await host.Http.GetAnswer("/api/v1/jobs", Bearer(token));
            answer.MustBeProblem(status, status == 401 ? "unauthorized" : "forbidden");
            Assert.Contains(told, answer["detail"].GetString(), StringComparison.Ordinal);
            Assert.Equal(status == 401 ? "Bearer error=\"invalid_token\"" : "", answer.Headers.WwwAuthenticate.ToString());
            Assert.DoesNotContain(token, answer.Text, StringComparison.Ordinal);
            Assert.DoesNotContain(token.Split('.')[1], host.Log, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Claims_and_roles_have_the_names_that_the_operator_gives_them()
    {
        await using var host = await HostAsync(new()
        {
            [TokenSettings.OwnerSetting] = "email",
            [TokenSettings.RolesSetting] = "groups",
            [TokenSettings.ScopesSetting] = "ml students=read, ml-staff=submit",
        });
        foreach (var (groups, posted) in new[] { ("ml-staff", 202), ("ml students", 403), ("mail ml-staff", 202), ("admin", 403) })
            Assert.Equal(posted,
                (await host.Http.PostJob(Job, Bearer(_issuer.Token(new() { ["email"] = "ada@example.org", ["groups"] = groups })))).Status);
        Assert.Contains("'email'",
            (await host.Http.GetAnswer("/api/v1/jobs", Bearer(_issuer.Token(new() { ["groups"] = "ml-staff" }))))["detail"].GetString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_the_issuer_is_away_a_token_is_no_reason_to_call_it_wrong()
    {
        await using var host = await HostAsync(new() { [AccessSettings.AdminKey] = "an-operators-key-of-some-length" });
        _issuer.Answers = false;
        var token = Bearer(_issuer.Token());
        (await host.Http.GetAnswer("/api/v1/jobs", token)).MustBeProblem(503, "issuer-unavailable");
        Assert.Equal(200, (await host.Http.GetAnswer("/api/v1/jobs", Bearer("an-operators-key-of-some-length"))).Status);
        _issuer.Answers = true;
        Assert.Equal(200, (await host.Http.GetAnswer("/api/v1/jobs", token)).Status);
        _issuer.Answers = false;
        Assert.Equal(200, (await host.Http.GetAnswer("/api/v1/jobs", token)).Status);
    }

    [Fact]
    public async Task With_an_issuer_any_address_may_be_listened_on()
    {
        await using var host = await HostAsync(new() { ["ASPNETCORE_URLS"] = "http://127.0.0.1:0;http://0.0.0.0:0" });
        Assert.Equal(200, (await host.Http.GetAnswer("/api/v1/jobs", Bearer(_issuer.Token()))).Status);
    }

    [Theory]
    [InlineData("http://login.example.org", "training", "", "must be https")]
    [InlineData("https://login.example.org", "", "", "TRAINING_JWT_AUDIENCE is needed")]
    [InlineData("", "training", "", "names no issuer")]
    [InlineData("https://login.example.org", "training", "staff=sumbit", "did you mean 'submit'?")]
    public async Task Settings_that_make_no_sense_are_refused(string authority, string audience, string scopes, string told)
    {
        var (exitCode, errors, _) = await HostProcess.RunAsync(["--role", "api"], new Dictionary<string, string?>
        {
            ["ConnectionStrings__Training"] = _database,
            [TokenSettings.AuthoritySetting] = authority,
            [TokenSettings.AudienceSetting] = audience,
            [TokenSettings.ScopesSetting] = scopes,
        });
        Assert.NotEqual(0, exitCode);
        Assert.Contains(told, errors, StringComparison.Ordinal);
    }

    private static (string, string) Bearer(string token) => ("Authorization", $"Bearer {token}");

    private Task<HostProcess> HostAsync(Dictionary<string, string?>? settings = null) => HostProcess.StartAsync("api", _database,
        new Dictionary<string, string?>(settings ?? [])
        {
            [TokenSettings.AuthoritySetting] = _issuer.Address,
            [TokenSettings.AudienceSetting] = Issuer.Audience,
        });
}

using System.Net;
using k8s;
using k8s.Models;
using TrainingService.Host.Http;
using TrainingService.Host.Tests.OpenApi;
using YamlDotNet.RepresentationModel;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace TrainingService.Host.Tests.Deploy;

/// <summary>
/// The manifests against the types of Kubernetes' own client and KEDA's, which know every field, against both's schemas, which know what
/// is required, and against each other: what one names another has.
/// </summary>
public sealed class KubernetesTests
{
    private const string Folder = "deploy/kubernetes";
    private const int AppUser = 1654;

    private static readonly Dictionary<string, Type> Keda = new()
    {
        ["keda.sh/v1alpha1/ScaledObject"] = typeof(ScaledObject),
        ["keda.sh/v1alpha1/TriggerAuthentication"] = typeof(TriggerAuthentication),
    };

    private static readonly YamlMappingNode Kustomization =
        Assert.IsType<YamlMappingNode>(Assert.Single(Repository.ReadYaml($"{Folder}/kustomization.yaml")));

    [Fact]
    public void All_files_are_resources_of_the_kustomization() => Assert.Equal(
        Directory.GetFiles(Path.Combine(Repository.Folder, Folder), "*.yaml").Select(file => Path.GetFileName(file))
            .Where(file => file != "kustomization.yaml").Order(),
        Resources().Order());

    [Fact]
    public void Manifests_have_only_fields_that_Kubernetes_and_Keda_know() => Assert.Equal(13, All().Count);

    [Theory]
    [InlineData("apiVersion: v1\nkind: ServiceAccount\nmetadata: {nam: x}")]
    [InlineData("apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: {containers: [{image: x, imag: y}]}}}")]
    [InlineData("apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nspec: {minReplicas: 1}")]
    public void A_field_that_nobody_knows_is_found(string manifest) => Assert.ThrowsAny<Exception>(() => Load(manifest));

    [Fact]
    public async Task Manifests_have_what_the_schemas_of_Kubernetes_and_Keda_require()
    {
        await Tools.NodeModulesAsync();
        await CheckAsync([.. Resources().Select(file => Path.Combine(Repository.Folder, Folder, file))]);
        var broken = Directory.CreateTempSubdirectory("training-manifests-");
        try
        {
            foreach (var (manifest, told) in new[]
            {
                ("kind: Deployment\napiVersion: apps/v1\nspec: {selector: {}, template: {spec: {containers: [{image: x}]}}}",
                    "containers/0 must have required property name"),
                ("kind: Service\napiVersion: v1\nspec: {ports: [{port: http}]}", "spec/ports/0/port must be integer"),
                ("kind: ScaledObject\napiVersion: keda.sh/v1alpha1\nspec: {scaleTargetRef: {name: x}, triggers: [{type: cron}]}",
                    "triggers/0 must have required property metadata"),
                ("kind: Dployment\napiVersion: apps/v1", "Dployment"),
            })
            {
                var file = Path.Combine(broken.FullName, $"{Guid.NewGuid()}.yaml");
                await File.WriteAllTextAsync(file, manifest, TestContext.Current.CancellationToken);
                Assert.Contains(told, (await Assert.ThrowsAnyAsync<Exception>(() => CheckAsync(file))).Message, StringComparison.Ordinal);
            }
        }
        finally
        {
            broken.Delete(recursive: true);
        }

        static Task CheckAsync(params string[] files) => Tools.RunAsync(Tools.Clients, "node", ["manifests.mjs", .. files]);
    }

    [Fact]
    public void Containers_are_unprivileged_read_only_and_limited()
    {
        Assert.Equal(3, Pods().Count);
        foreach (var (name, pod) in Pods())
        {
            Assert.True(pod.SecurityContext is { RunAsNonRoot: true, RunAsUser: AppUser, FsGroup: AppUser }, name);
            Assert.False(pod.AutomountServiceAccountToken);
            var container = Assert.Single(pod.Containers);
            Assert.True(container.SecurityContext is { AllowPrivilegeEscalation: false, ReadOnlyRootFilesystem: true }, name);
            Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
            Assert.True(container.Resources.Limits.ContainsKey("memory") && container.Resources.Requests.ContainsKey("cpu"), name);
            // .NET writes to /tmp; all else is where TRAINING_DATA_DIR says
            Assert.All(container.VolumeMounts, mount => Assert.Contains(pod.Volumes, volume => volume.Name == mount.Name));
            Assert.Contains(container.VolumeMounts, mount => mount.MountPath == "/tmp");
        }
        Assert.Contains($"TRAINING_DATA_DIR=/data", Repository.Read($"{Folder}/kustomization.yaml"), StringComparison.Ordinal);
    }

    [Fact]
    public void Servers_have_probes_a_budget_time_to_end_and_a_way_in()
    {
        foreach (var (name, pod) in Pods().Where(pod => pod.Pod.Containers[0].Ports is not null))
        {
            var container = pod.Containers[0];
            Assert.Equal(("/health/live", "/health/live", "/health/ready"), (container.StartupProbe.HttpGet.Path,
                container.LivenessProbe.HttpGet.Path, container.ReadinessProbe.HttpGet.Path));
            Assert.True(pod.TerminationGracePeriodSeconds >= 60, name);
            var url = new Uri(container.Env.Single(variable => variable.Name == "ASPNETCORE_URLS").Value);
            Assert.Equal(container.Ports[0].ContainerPort, url.Port);
            Assert.Single(All().OfType<V1PodDisruptionBudget>(), budget => budget.Spec.Selector.MatchLabels.Values.Contains(name));
            Assert.Single(All().OfType<V1NetworkPolicy>(), policy => policy.Spec.PodSelector.MatchLabels?.Values.Contains(name) == true);
        }
        Assert.Contains(All().OfType<V1NetworkPolicy>(), policy => policy.Spec is { PodSelector.MatchLabels: null, Ingress: null }
            && policy.Spec.PolicyTypes.Order().SequenceEqual(["Egress", "Ingress"]));
    }

    [Theory]
    [InlineData("api", "DOTNET_TieredPGO=1")]
    [InlineData("worker")]
    public void The_runtime_of_a_role_is_told_the_same_in_Kubernetes_and_by_Compose(string role, params string[] told)
    {
        Assert.Equal(told, Runtime(Pods().Single(pod => pod.Name == $"training-{role}").Pod.Containers[0].Env
            .Select(variable => (variable.Name, variable.Value))));
        var environment = (YamlMappingNode)Assert.Single(Repository.ReadYaml("docker-compose.yml"))["services"][role]["environment"];
        Assert.Equal(told, Runtime(environment.Select(each => ($"{each.Key}", $"{each.Value}"))));

        static IEnumerable<string> Runtime(IEnumerable<(string Name, string Value)> variables) =>
            variables.Where(variable => variable.Name.StartsWith("DOTNET_", StringComparison.Ordinal))
                .Select(variable => $"{variable.Name}={variable.Value}");
    }

    [Theory]
    [InlineData("93.184.216.34", true)]
    [InlineData("2606:2800::1", true)]
    [InlineData("10.96.0.1", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("172.20.0.1", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("2002:a00:1::1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("fe80::1", false)]
    public void Webhooks_may_go_to_what_is_public(string address, bool allowed)
    {
        var blocks = All().OfType<V1NetworkPolicy>().Where(policy => policy.Spec.Egress is not null)
            .SelectMany(policy => policy.Spec.Egress).SelectMany(rule => rule.To ?? []).Select(peer => peer.IpBlock).OfType<V1IPBlock>();
        Assert.Equal(allowed, Reaches.IsPublic(IPAddress.Parse(address)));
        Assert.Equal(allowed, blocks.Any(block => Holds(block.Cidr) && block.Except?.Any(Holds) != true));

        bool Holds(string network) => IPNetwork.Parse(network).Contains(IPAddress.Parse(address));
    }

    [Fact]
    public void What_is_named_is_there()
    {
        var deployments = All().OfType<V1Deployment>().Select(each => each.Metadata.Name).ToList();
        var scaled = Assert.Single(All().OfType<ScaledObject>());
        Assert.Contains(scaled.Spec.ScaleTargetRef.Name, deployments);
        // or each apply would undo what was scaled
        Assert.Null(All().OfType<V1Deployment>().Single(each => each.Metadata.Name == scaled.Spec.ScaleTargetRef.Name).Spec.Replicas);
        Assert.Equal(Assert.Single(All().OfType<TriggerAuthentication>()).Metadata.Name,
            Assert.Single(scaled.Spec.Triggers).AuthenticationRef.Name);
        Assert.Contains(Assert.Single(All().OfType<V1Service>()).Spec.Selector.Values.Single(), deployments);
        foreach (var (name, pod) in Pods())
            Assert.Equal(Assert.Single(All().OfType<V1ServiceAccount>()).Metadata.Name, pod.ServiceAccountName);
        // the README tells which secrets there must be
        var readme = Repository.Read("deploy/README.md");
        var secrets = Pods().SelectMany(pod => pod.Pod.Containers[0].Env).Select(variable => variable.ValueFrom?.SecretKeyRef)
            .OfType<V1SecretKeySelector>().Select(secret => (secret.Name, secret.Key))
            .Concat(All().OfType<TriggerAuthentication>().SelectMany(each => each.Spec.SecretTargetRef)
                .Select(each => (each.Name, each.Key)));
        Assert.All(secrets, secret => Assert.True(readme.Contains($"secret generic {secret.Name}", StringComparison.Ordinal)
            && readme.Contains($"--from-literal={secret.Key}=", StringComparison.Ordinal), $"{secret}"));
    }

    /// <summary>That the query is one which Postgres takes is <see cref="ScalingTests"/>'.</summary>
    internal static string ScalingQuery => Assert.Single(All().OfType<ScaledObject>()).Spec.Triggers.Single().Metadata["query"];

    private static IEnumerable<string> Resources() =>
        Assert.IsType<YamlSequenceNode>(Kustomization.Children["resources"]).Select(each => ((YamlScalarNode)each).Value!);

    private static List<(string Name, V1PodSpec Pod)> Pods() =>
        [.. All().Select(each => each switch
        {
            V1Deployment deployment => (deployment.Metadata.Name, deployment.Spec.Template.Spec),
            V1Job job => (job.Metadata.Name, job.Spec.Template.Spec),
            _ => default,
        }).Where(each => each.Spec is not null)];

    private static List<object> All() => [.. Resources().SelectMany(file => Load(Repository.Read($"{Folder}/{file}")))];

    private static List<object> Load(string manifests)
    {
        var found = new List<object>();
        foreach (var text in manifests.Split("\n---\n"))
        {
            var kind = new DeserializerBuilder().IgnoreUnmatchedProperties().WithNamingConvention(CamelCaseNamingConvention.Instance)
                .Build().Deserialize<Kind>(text);
            found.Add(Keda.TryGetValue($"{kind.ApiVersion}/{kind.Name}", out var type)
                ? new DeserializerBuilder().WithNamingConvention(CamelCaseNamingConvention.Instance).Build().Deserialize(text, type)!
                : Assert.Single(KubernetesYaml.LoadAllFromString(text, strict: true)));
        }
        return found;
    }

    private sealed class Kind
    {
        public string ApiVersion { get; init; } = "";

        [YamlMember(Alias = "kind")]
        public string Name { get; init; } = "";
    }

    // KEDA 2's, as far as they are used here.
#pragma warning disable CA1812 // made by reflection
    private abstract class KedaKind
    {
        public string ApiVersion { get; init; } = "";
        public string Kind { get; init; } = "";
        public Named Metadata { get; init; } = new();
    }

    private sealed class Named
    {
        public string Name { get; init; } = "";
    }

    private sealed class ScaledObject : KedaKind
    {
        public Scaling Spec { get; init; } = new();
    }

    private sealed class Scaling
    {
        public Named ScaleTargetRef { get; init; } = new();
        public int MinReplicaCount { get; init; }
        public int MaxReplicaCount { get; init; }
        public int PollingInterval { get; init; }
        public int CooldownPeriod { get; init; }
        public List<Trigger> Triggers { get; init; } = [];
        public Dictionary<string, object> Advanced { get; init; } = [];
    }

    private sealed class Trigger
    {
        public string Type { get; init; } = "";
        public Dictionary<string, string> Metadata { get; init; } = [];
        public Named AuthenticationRef { get; init; } = new();
    }

    private sealed class TriggerAuthentication : KedaKind
    {
        public Secrets Spec { get; init; } = new();
    }

    private sealed class Secrets
    {
        public List<Secret> SecretTargetRef { get; init; } = [];
    }

    private sealed class Secret
    {
        public string Parameter { get; init; } = "";
        public string Name { get; init; } = "";
        public string Key { get; init; } = "";
    }
#pragma warning restore CA1812
}

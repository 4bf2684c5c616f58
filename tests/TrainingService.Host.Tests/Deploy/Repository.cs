using System.Runtime.CompilerServices;
using YamlDotNet.RepresentationModel;

namespace TrainingService.Host.Tests.Deploy;

/// <summary>Files of the repository, as operators find them.</summary>
internal static class Repository
{
    public static string Folder { get; } = Find();

    public static string Read(string path) => File.ReadAllText(Path.Combine(Folder, path));

    public static IReadOnlyList<YamlNode> ReadYaml(string path)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(Read(path)));
        return [.. stream.Documents.Select(document => document.RootNode)];
    }

    /// <summary>All values of a key, wherever it is.</summary>
    public static IEnumerable<string> ValuesOf(this YamlNode node, string key) => node.AllNodes.OfType<YamlMappingNode>()
        .SelectMany(each => each.Children)
        .Where(each => each is { Key: YamlScalarNode { Value: var name }, Value: YamlScalarNode } && name == key)
        .Select(each => ((YamlScalarNode)each.Value).Value ?? "");

    private static string Find([CallerFilePath] string path = "") => Path.GetFullPath(Path.Combine(path, "../../../.."));
}

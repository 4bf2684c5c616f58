using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using TrainingService.Engine.Training;

namespace TrainingService.Host.Tests.Architecture;

/// <summary>The map in src/README.md: what it names is there, and its walks only lead down.</summary>
public sealed partial class MapTests
{
    private static readonly string Source = Path.Combine(Repository(), "src");

    private static readonly string[] Projects = ["TrainingService.Host", "TrainingService.Engine"];

    /// <summary>A line of a walk: how far it is indented, the folder of the file it begins with, and in which project that is.</summary>
    private sealed record Step(int Indent, string Project, string Folder, string Line);

    [Fact]
    public void Files_that_the_map_names_are_there()
    {
        var named = Named().Matches(Map()).Select(m => m.Groups["file"].Value).Distinct().ToList();
        Assert.NotEmpty(named);
        Assert.DoesNotContain(named, file => !Exists(file));
    }

    [Fact]
    public void Every_folder_is_on_the_map()
    {
        var folders = Projects.SelectMany(project => Directory.GetDirectories(Path.Combine(Source, project)))
            .Select(folder => Path.GetFileName(folder))
            .Where(folder => folder is not ("bin" or "obj")).ToList();
        Assert.DoesNotContain(folders, folder => !Map().Contains($"`{folder}/`", StringComparison.Ordinal));
    }

    [Fact]
    public void Walks_have_no_step_back_up()
    {
        var used = new[] { typeof(Program).Assembly, typeof(Trainer).Assembly }
            .ToDictionary(assembly => assembly.GetName().Name ?? "", TypeReferences.Reach);
        var walks = Walk().Matches(Map()).Select(m => m.Groups["lines"].Value).ToList();
        Assert.True(walks.Count >= 3);
        Assert.Empty(walks.SelectMany(walk => StepsUp(walk, used)));
    }

    private static IEnumerable<string> StepsUp(string walk, Dictionary<string, IReadOnlyDictionary<string, IReadOnlySet<string>>> used)
    {
        var above = new Stack<Step>();
        foreach (var line in walk.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var file = line.TrimStart().Split(' ', ',')[0];
            var engine = file.StartsWith("Engine/", StringComparison.Ordinal);
            var folder = (Path.GetDirectoryName(engine ? file["Engine/".Length..] : file) ?? "").Replace('/', '.');
            var step = new Step(line.Length - line.TrimStart().Length, Projects[engine ? 1 : 0], folder, line.Trim());
            while (above.TryPeek(out var last) && last.Indent >= step.Indent)
                above.Pop();
            if (above.TryPeek(out var caller) && (engine
                ? caller.Project == step.Project && Uses(step, caller)
                : caller.Project != step.Project || Uses(step, caller)))
                yield return $"{caller.Line} -> {step.Line}";
            above.Push(step);
        }

        bool Uses(Step lower, Step upper) => lower.Folder != upper.Folder
            && used[lower.Project].GetValueOrDefault(lower.Folder)?.Contains(upper.Folder) == true;
    }

    private static string Map() => File.ReadAllText(Path.Combine(Source, "README.md"));

    private static bool Exists(string file) => file.StartsWith("Engine/", StringComparison.Ordinal)
        ? File.Exists(Path.Combine(Source, "TrainingService.Engine", file["Engine/".Length..]))
        : File.Exists(Path.Combine(Source, "TrainingService.Host", file));

    private static string Repository([CallerFilePath] string path = "") => Path.GetFullPath(Path.Combine(path, "../../../.."));

    [GeneratedRegex(@"(?<file>[A-Z]\w+(?:/\w+)+\.cs)")]
    private static partial Regex Named();

    [GeneratedRegex(@"```walk\n(?<lines>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Walk();
}

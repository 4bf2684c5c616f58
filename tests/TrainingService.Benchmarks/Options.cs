namespace TrainingService.Benchmarks;

/// <summary>--name value pairs; a name without a value is a switch.</summary>
internal sealed class Options
{
    private readonly Dictionary<string, string> _values = [];

    public Options(string[] args, params string[] known)
    {
        for (var i = 0; i < args.Length; i++)
        {
            var name = args[i].StartsWith("--", StringComparison.Ordinal) ? args[i][2..]
                : throw new ArgumentException($"'{args[i]}' is not an option");
            if (!known.Contains(name))
                throw new ArgumentException($"unknown option --{name}; there are {string.Join(", ", known.Select(k => "--" + k))}");
            _values[name] = i + 1 < args.Length && !args[i + 1].StartsWith("--", StringComparison.Ordinal) ? args[++i] : "";
        }
    }

    public string Text(string name, string otherwise) => _values.GetValueOrDefault(name, otherwise);

    public double Number(string name, double otherwise) => _values.TryGetValue(name, out var text) ? double.Parse(text) : otherwise;

    public bool Has(string name) => _values.ContainsKey(name);
}


namespace TrainingService.Engine.Specs;

/// <summary>Reads the parameters of one named thing: refuses what it doesn't have, checks ranges, fills in defaults.</summary>
internal sealed class ParameterReader(string owner, IReadOnlyList<ParameterInfo> parameters, string pointer, ICollection<SpecError> errors)
{
    public bool Failed { get; private set; }

    public double? Read(string name, double? value) => (double?)Check(name, value);

    public bool? Read(string name, bool? value) => (bool?)Check(name, value);

    public string? Read(string name, string? value) => (string?)Check(name, value);

    private object? Check(string name, object? value)
    {
        var parameter = parameters.FirstOrDefault(p => p.Name == name);
        if (value is null)
            return parameter?.Default;
        var problem = parameter is null
            ? $"{owner} has no parameter '{name}'{(parameters.Count == 0 ? "; it has none" : "; it has " + string.Join(", ", parameters.Select(p => p.Name)))}"
            : parameter.Problem(value);
        if (problem is null)
            return value;
        Failed = true;
        errors.Add(new($"{pointer}/{name}", problem));
        return null;
    }
}

using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Optimizers;
using TrainingService.Engine.Specs;

namespace TrainingService.Host.Http;

/// <summary>The words that a request's field takes, where they are fixed.</summary>
public static class FieldWords
{
    /// <summary>What is chosen by a name: all names, and all parameters.</summary>
    public static IReadOnlyDictionary<Type, (IReadOnlyList<string> Names, ParameterInfo[] Parameters)> Chosen { get; } =
        new Dictionary<Type, (IReadOnlyList<string>, ParameterInfo[])>
        {
            [typeof(ActivationSpec)] = (ActivationRegistry.AllNames, [.. ActivationRegistry.All.SelectMany(a => a.Parameters)]),
            [typeof(InitializerSpec)] = (InitializerRegistry.AllNames, [.. InitializerRegistry.All.SelectMany(i => i.Parameters)]),
            [typeof(OptimizerSpec)] =
                ([.. OptimizerPlan.Parameters.Keys], [.. OptimizerPlan.Parameters.Values.SelectMany(p => p)]),
            [typeof(ScheduleSpec)] = ([.. SchedulePlan.Parameters.Keys], [.. SchedulePlan.Parameters.Values.SelectMany(p => p)]),
        };

    /// <summary>Null where anything may stand.</summary>
    public static IReadOnlyList<string>? Of(Type type, string field) =>
        (Chosen.TryGetValue(type, out var chosen), field) switch
        {
            (true, "name") => chosen.Names,
            (true, _) when chosen.Parameters.OfType<ChoiceParameter>().Where(p => p.Name == field).ToList() is { Count: > 0 } choices =>
                [.. choices.SelectMany(choice => choice.Words).Distinct()],
            (_, "type") when type == typeof(LayerSpec) => LayerSpec.Types,
            _ => (Fields.Of(type).FirstOrDefault(known => known.Name == field)?.Rule as OneOfAttribute)?.Words,
        };
}

using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Optimizers;
using TrainingService.Engine.Specs;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Catalog;

/// <summary>What a field holds.</summary>
public enum FieldKind
{
    /// <summary>A number.</summary>
    Number,

    /// <summary>A whole number.</summary>
    Integer,

    /// <summary>Whole numbers, as a list.</summary>
    Integers,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>One of <c>words</c>.</summary>
    Word,

    /// <summary>Text.</summary>
    Text,

    /// <summary>One of <c>choices</c>, by its name alone or as an object with the name and its parameters.</summary>
    Named,

    /// <summary>What has parts of its own that no form can list: labels, layers one by one.</summary>
    Json,
}

/// <summary>A field that a job may have.</summary>
/// <param name="Place">JSON pointer from the job, or from what it is a parameter of.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="Default">What is taken where it is left out; null where that depends on other fields, or where it is nothing.</param>
/// <param name="Range">Allowed values, as text.</param>
/// <param name="Least">The least number.</param>
/// <param name="Above">What a number must be above.</param>
/// <param name="Most">The largest number.</param>
/// <param name="Below">What a number must be below.</param>
/// <param name="Words">What it may be.</param>
/// <param name="Choices">What it may name.</param>
public sealed record JobField(string Place, FieldKind Kind, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] object? Default,
    string? Range = null, double? Least = null, double? Above = null, double? Most = null, double? Below = null,
    IReadOnlyList<string>? Words = null, IReadOnlyList<NamedChoice>? Choices = null);

/// <summary>Something that a field may name.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Parameters">What may be set of it.</param>
public sealed record NamedChoice(string Name, IReadOnlyList<JobField> Parameters);

public static class ListJobFields
{
    private static readonly Page<JobField> All = new([.. Of(typeof(JobSpec), "")], null);

    /// <summary>List the fields of a job</summary>
    /// <remarks>
    /// Each with what it may hold, its range and its default; of what is chosen by name all choices with their parameters. Enough to make
    /// a form of. Parts that are left out altogether (`earlyStopping`) are there once one of their fields is.
    /// </remarks>
    /// <response code="200">All fields, in the order of their documentation.</response>
    public static Ok<Page<JobField>> Handle() => TypedResults.Ok(All);

    private static IEnumerable<JobField> Of(Type part, string place) =>
        Fields.Of(part).SelectMany(field => Of(field, $"{place}/{field.Name}"));

    private static IEnumerable<JobField> Of(Field field, string place)
    {
        var type = Nullable.GetUnderlyingType(field.Property.PropertyType) ?? field.Property.PropertyType;
        var standard = field.Rule?.Default;
        if (ChoicesOf(type) is { } choices)
            return [new(place, FieldKind.Named, standard, Choices: choices)];
        if (field.Rule is OneOfAttribute { Words: var words })
            return [new(place, FieldKind.Word, standard, Words: words)];
        if (type.IsEnum)
            return [new(place, FieldKind.Word, standard, Words: [.. Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName)])];
        if (type == typeof(IReadOnlyList<int>))
            return [field.Rule is ItemsAttribute items
                ? new(place, FieldKind.Integers, standard, $"{items.Fewest} to {items.MostItems} numbers", items.Least, Most: items.Most)
                : new(place, FieldKind.Integers, standard)];
        if (KindOf(type) is { } kind)
            return [Bounded(new(place, kind, standard), (field.Rule as BoundsAttribute)?.Bounds)];
        // Of records with fields of their own each is listed, of all else none; a rule has only some of the thresholds that there are.
        return type.IsDefined(typeof(JsonConverterAttribute), false) || type == typeof(RulesSpec)
            || type.Namespace?.StartsWith(nameof(TrainingService), StringComparison.Ordinal) != true
            ? [new(place, FieldKind.Json, standard)] : Of(type, place);
    }

    private static FieldKind? KindOf(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.Double or TypeCode.Single => FieldKind.Number,
        TypeCode.Int32 or TypeCode.Int64 => FieldKind.Integer,
        TypeCode.Boolean => FieldKind.Boolean,
        TypeCode.String => FieldKind.Text,
        _ => null,
    };

    private static IReadOnlyList<NamedChoice>? ChoicesOf(Type type) =>
        type == typeof(ActivationSpec)
            ? Choices<ActivationSpec>(ActivationRegistry.All.Select(info => (info.Name, info.Parameters)))
        : type == typeof(InitializerSpec)
            ? Choices<InitializerSpec>(InitializerRegistry.All.Select(info => (info.Name, info.Parameters)))
        : type == typeof(OptimizerSpec)
            ? Choices<OptimizerSpec>(OptimizerPlan.Parameters.Select(kind => (kind.Key, kind.Value)))
        : type == typeof(ScheduleSpec)
            ? Choices<ScheduleSpec>(SchedulePlan.Parameters.Select(kind => (kind.Key, kind.Value)))
        : null;

    private static IReadOnlyList<NamedChoice> Choices<T>(IEnumerable<(string Name, IReadOnlyList<ParameterInfo> Parameters)> kinds)
    {
        var common = Fields.Of(typeof(T)).Where(field => field.Rule is not null && field.Name != "name")
            .SelectMany(field => Of(field, $"/{field.Name}")).ToList();
        return [.. kinds.Select(kind => new NamedChoice(kind.Name, [.. kind.Parameters.Select(parameter => Of(parameter)), .. common]))];
    }

    private static JobField Of(ParameterInfo parameter)
    {
        var place = $"/{parameter.Name}";
        return parameter switch
        {
            NumberParameter number => Bounded(new(place, FieldKind.Number, number.Default), number.Bounds),
            OptionalNumberParameter number => Bounded(new(place, FieldKind.Number, null), number.Bounds),
            // a schedule's counts are defaults of a run of one step
            CountParameter count => Bounded(new(place, FieldKind.Integer, null), count.Bounds),
            ChoiceParameter choice => new(place, FieldKind.Word, choice.Default, Words: choice.Words),
            _ => new(place, FieldKind.Boolean, parameter.Default),
        };
    }

    private static JobField Bounded(JobField field, Bounds? bounds) => bounds is null ? field : field with
    {
        Range = bounds.Text,
        Least = bounds.Least,
        Above = bounds.Above,
        Most = bounds.Most,
        Below = bounds.Below,
    };
}

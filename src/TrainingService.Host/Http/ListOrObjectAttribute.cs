namespace TrainingService.Host.Http;

/// <summary>A field that JSON may give as a list or as an object, each of a type of its own.</summary>
/// <param name="list">What the list is read as.</param>
/// <param name="fields">What the object is read as.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ListOrObjectAttribute(Type list, Type fields) : Attribute
{
    public Type List { get; } = list;

    public Type Fields { get; } = fields;

    /// <summary>The field that whoever gives a number has probably meant.</summary>
    public string? Count { get; init; }
}

namespace TrainingService.Engine.Specs;

/// <summary>A spec for which JSON may give a plain string where only its name matters: "relu" for {"name": "relu"}.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class PlainNameAttribute : Attribute;

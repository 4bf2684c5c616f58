namespace TrainingService.Host.Http;

/// <summary>A field that a request had in earlier versions: whoever still sends it is told what became of it.</summary>
/// <param name="name">As it stood in JSON.</param>
/// <param name="why">What to do instead.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class RetiredAttribute(string name, string why) : Attribute
{
    public string Name => name;

    public string Why => why;
}

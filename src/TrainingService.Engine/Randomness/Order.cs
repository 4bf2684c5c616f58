namespace TrainingService.Engine.Randomness;

/// <summary>What a random order is made from.</summary>
internal interface IBelow
{
    /// <summary>Uniform whole number in [0, bound).</summary>
    int Below(int bound);
}

/// <summary>Random orders.</summary>
internal static class Order
{
    /// <summary>Fisher and Yates.</summary>
    public static void Shuffle<T>(ref T random, Span<int> items) where T : IBelow
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = random.Below(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }
}

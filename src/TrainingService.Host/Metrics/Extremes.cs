namespace TrainingService.Host.Metrics;

/// <summary>Thins out a curve so that its outline stays.</summary>
public static class Extremes
{
    /// <summary>
    /// At most <paramref name="max"/> of the points: the first, the last and, of each stretch between them, the lowest and the highest. A
    /// value that is not a number outdoes every number, since where a run breaks is what one looks for.
    /// </summary>
    public static IReadOnlyList<double[]> Keep(IReadOnlyList<double[]> points, int max)
    {
        if (points.Count <= max)
            return points;
        var kept = new List<double[]>(max) { points[0] };
        var stretches = (max - 2) / 2;
        for (var s = 0; s < stretches; s++)
        {
            var from = 1 + (int)((long)s * (points.Count - 2) / stretches);
            var to = 1 + (int)((long)(s + 1) * (points.Count - 2) / stretches);
            var (lowest, highest) = (from, from);
            for (var i = from + 1; i < to; i++)
            {
                if (points[i][2] < points[lowest][2])
                    lowest = i;
                if (points[i][2] > points[highest][2] || (double.IsNaN(points[i][2]) && !double.IsNaN(points[highest][2])))
                    highest = i;
            }
            kept.Add(points[Math.Min(lowest, highest)]);
            if (lowest != highest)
                kept.Add(points[Math.Max(lowest, highest)]);
        }
        kept.Add(points[^1]);
        return kept;
    }
}

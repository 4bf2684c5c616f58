namespace TrainingService.Host.Reports;

/// <summary>Ends of axes that show what is to be told apart, and not what one curve does at one moment.</summary>
public static class Axes
{
    /// <summary>
    /// Of values those near to most of them: what lies many times further out than the others would leave nothing to be told apart.
    /// </summary>
    /// <param name="least">Distance from the median that is never far.</param>
    public static Func<double, bool> Near(IReadOnlyList<double> values, double least)
    {
        double[] sorted = [.. values.Where(double.IsFinite).Order()];
        if (sorted.Length < 4)
            return _ => true;
        var median = sorted[sorted.Length / 2];
        double[] distances = [.. sorted.Select(value => Math.Abs(value - median)).Order()];
        var far = Math.Max(6 * distances[distances.Length / 2], least);
        return value => Math.Abs(value - median) <= far;
    }

    /// <summary>Of accuracies: what they are after the first quarter, in which all nets rise from nothing.</summary>
    /// <param name="most">The largest value that there can be.</param>
    public static ChartAxis Zoomed(string label, IReadOnlyList<Curve> curves, double most)
    {
        var near = Near([.. curves.Where(curve => curve.Points.Count > 0).Select(curve => curve.Points[^1].Y)], 0.05 * most);
        curves = [.. curves.Where(curve => curve.Points.Count > 0 && near(curve.Points[^1].Y))];
        var last = curves.SelectMany(curve => curve.Points).Select(point => point.X).DefaultIfEmpty(0).Max();
        double[] seen = [.. curves.SelectMany(curve => curve.Points.Where(point => point.X >= last / 4 && double.IsFinite(point.Y))
            .Select(point => point.Y))];
        if (seen.Length == 0)
            return new(label, Max: most);
        // at least a hundredth of all that is possible, or noise would look like mountains
        var room = Math.Max(0.08 * (seen.Max() - seen.Min()), 0.005 * most);
        return new(label, Min: seen.Min() - room, Max: Math.Min(most, seen.Max() + room));
    }

    /// <summary>Of losses, of which a single one may explode without ever being infinite.</summary>
    public static ChartAxis OfLoss(string label, IReadOnlyList<Curve> curves)
    {
        var highest = curves.Select(curve => curve.Points.Select(point => point.Y).Where(double.IsFinite).DefaultIfEmpty(0).Max())
            .Order().ToList();
        var usual = highest.Count == 0 ? 0 : highest[(highest.Count - 1) / 2];
        double[] seen = [.. curves.SelectMany(curve => curve.Points).Select(point => point.Y)
            .Where(y => double.IsFinite(y) && !(usual > 0 && y > 5 * usual))];
        if (seen.Length == 0)
            return new(label);
        // Two decades on a linear axis would show one bend and a flat line.
        var least = seen.Where(y => y > 0).DefaultIfEmpty(1).Min();
        return seen.Max() / least > 100 ? new(label, Log: true, Min: least, Max: seen.Max())
            : new(label, Min: Math.Min(0, seen.Min()), Max: seen.Max() > 0 ? 1.04 * seen.Max() : null);
    }

    /// <summary>Means with as much of their intervals as leaves the means to be told apart.</summary>
    public static (double? Min, double? Max) Around(IReadOnlyList<double> means, IEnumerable<double?> ends, bool isShare)
    {
        double[] finite = [.. means.Where(double.IsFinite)];
        if (finite.Length == 0)
            return (null, null);
        var (least, most) = (finite.Min(), finite.Max());
        double[] reach = [.. ends.OfType<double>().Where(double.IsFinite)];
        // one mean, or equal ones: their intervals are all there is to see
        var room = most > least ? 0.6 * (most - least) : double.PositiveInfinity;
        var (min, max) = (Math.Max(reach.Append(least).Min(), least - room), Math.Min(reach.Append(most).Max(), most + room));
        if (max <= min)
            return (null, null);
        var margin = 0.06 * (max - min);
        return (isShare ? Math.Max(0, min - margin) : min - margin, isShare ? Math.Min(100, max + margin) : max + margin);
    }
}

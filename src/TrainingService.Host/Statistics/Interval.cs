namespace TrainingService.Host.Statistics;

/// <summary>A confidence interval, both ends included.</summary>
public readonly record struct Interval(double Lower, double Upper)
{
    public bool Excludes(double value) => value < Lower || value > Upper;

    public bool IsWithin(double bound) => Lower > -bound && Upper < bound;

    /// <summary>Lower and upper end, as in the API's <c>ci95</c>.</summary>
    public double[] ToArray() => [Lower, Upper];
}

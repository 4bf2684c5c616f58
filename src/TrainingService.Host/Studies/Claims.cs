using TrainingService.Host.Statistics;

namespace TrainingService.Host.Studies;

/// <summary>A claim of the answer to "why is ReLU and not leaky ReLU the default?", which everybody repeats and nobody tests.</summary>
/// <param name="Id">C1 to C12.</param>
/// <param name="Text">The claim in one sentence.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="Literature">What the literature leads one to expect: never a result of this service.</param>
public sealed record Claim(string Id, string Text, string Source, string? Literature)
{
    /// <summary>What the evidence says of it.</summary>
    public ClaimReport Report(Verdict verdict, string evidence, StudyEvidence from, int n, double? effect = null, double[]? ci95 = null) =>
        new(Id, Text, verdict, evidence, effect, ci95, n, Math.Round(from.SecondsSpent, 1), Literature, Source);

    /// <summary>The claim is that the arm is better, in just this metric.</summary>
    public ClaimReport Better(ContrastResult contrast, StudyEvidence from, string? before = null, string? after = null) =>
        Report(contrast.Verdict, Join(before, contrast.Sentence, after), from, contrast.N, contrast.MeanDifference, contrast.Ci95);

    /// <summary>The claim is that the arm's values are lower, in a metric without a good side.</summary>
    public ClaimReport Lower(ContrastResult contrast, StudyEvidence from, string? before = null, string? after = null) =>
        Report(OfLower(contrast.Verdict), Join(before, contrast.Sentence, after), from, contrast.N, contrast.MeanDifference, contrast.Ci95);

    /// <summary>What a verdict on a metric without a good side says of the claim that the arm's values are lower.</summary>
    public static Verdict OfLower(Verdict verdict) => verdict switch
    {
        Verdict.Lower => Verdict.Supported,
        Verdict.Higher or Verdict.Equivalent or Verdict.Negligible => Verdict.Refuted,
        _ => Verdict.Inconclusive,
    };

    /// <summary>
    /// The claim is that the arm is not worse: equivalence supports it, and so does being better; it takes a relevant loss to refute it. Of a metric without a good side: that the
    /// arm's values are not lower.
    /// </summary>
    public ClaimReport NotWorse(ContrastResult contrast, StudyEvidence from, string? before = null, string? after = null) =>
        Report(contrast switch
        {
            { Equivalence.Equivalent: true } or { Verdict: Verdict.Supported or Verdict.Higher } => Verdict.Supported,
            { Verdict: Verdict.Refuted or Verdict.Lower } => Verdict.Refuted,
            _ => Verdict.Inconclusive,
        }, Join(before, contrast.Sentence, after), from, contrast.N, contrast.MeanDifference, contrast.Ci95);

    /// <summary>The claim is that a mean lies in a range: supported if its interval does, refuted if that lies outside.</summary>
    public static Verdict Within(ArmSummary mean, double low, double high) => mean.Ci95 switch
    {
        [var from, var to] when from >= low && to <= high => Verdict.Supported,
        [var from, var to] when to < low || from > high => Verdict.Refuted,
        _ => Verdict.Inconclusive,
    };

    /// <summary>Supported if all parts are, refuted if one is.</summary>
    public static Verdict All(IEnumerable<Verdict> parts)
    {
        var verdicts = parts.ToList();
        return verdicts.Count == 0 ? Verdict.Inconclusive
            : verdicts.Contains(Verdict.Refuted) ? Verdict.Refuted
            : verdicts.TrueForAll(verdict => verdict == Verdict.Supported) ? Verdict.Supported
            : verdicts.TrueForAll(verdict => verdict == Verdict.Equivalent) ? Verdict.Equivalent
            : Verdict.Inconclusive;
    }

    private static string Join(params string?[] sentences) => string.Join(" ", sentences.Where(sentence => sentence is not null));
}

/// <summary>What the evidence says of a claim.</summary>
/// <param name="Id">C1 to C12.</param>
/// <param name="Claim">The claim in one sentence.</param>
/// <param name="Verdict">What the measured evidence supports, here and on this data.</param>
/// <param name="Evidence">The figures behind the verdict, in words.</param>
/// <param name="Effect">The measured effect; null where the evidence is not one number.</param>
/// <param name="Ci95">Its interval.</param>
/// <param name="N">Paired seeds (or nets) behind it.</param>
/// <param name="SecondsSpent">Training time that the evidence cost.</param>
/// <param name="Literature">What the literature leads one to expect. Not a result of this service.</param>
/// <param name="Source">Where the claim comes from.</param>
public sealed record ClaimReport(string Id, string Claim, Verdict Verdict, string Evidence,
    double? Effect, double[]? Ci95, int N, double SecondsSpent, string? Literature, string Source);

/// <summary>The claims by number.</summary>
public static class Claims
{
    public static readonly Claim C1 = new("C1", "Leaky ReLU mitigates dying ReLU units.",
        "Maas, Hannun and Ng, Rectifier Nonlinearities Improve Neural Network Acoustic Models, ICML workshop 2013",
        "A leaky unit has a gradient on both sides, so it can't be gradient-dead by construction; "
        + "whether that helps depends on how many units die.");

    public static readonly Claim C2 = new("C2", "Leaky ReLU doesn't slow training; ELU is expensive.",
        "Clevert, Unterthiner and Hochreiter, Fast and Accurate Deep Network Learning by Exponential Linear Units, ICLR 2016",
        "ELU needs an exponential; the authors report about 5 % more time per iteration for a large network.");

    public static readonly Claim C3 = new("C3", "A mistuned slope hurts; PReLU learns it.",
        "He, Zhang, Ren and Sun, Delving Deep into Rectifiers, ICCV 2015",
        "On ImageNet, PReLU improved the top-1 error of a 14-layer net by about 1.2 points over ReLU.");

    public static readonly Claim C4 = new("C4", "Dying hits a fraction of the units; dense ReLU layers are 50-90 % sparse.",
        "Glorot, Bordes and Bengio, Deep Sparse Rectifier Neural Networks, AISTATS 2011",
        "Rectifier nets of the paper had 68-83 % zeros after training.");

    public static readonly Claim C5 = new("C5", "Sparsity under-uses capacity, or acts as an implicit l1 penalty that generalises.",
        "Glorot, Bordes and Bengio, Deep Sparse Rectifier Neural Networks, AISTATS 2011", null);

    public static readonly Claim C6 = new("C6", "With large sparsity, dropout on top can be of no benefit.",
        "Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, Dropout, JMLR 15 (2014), section 7.2 on sparsity", null);

    public static readonly Claim C7 = new("C7", "Tanh and sigmoid saturate, gradients vanish, training stops.",
        "Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010",
        "In the paper's 4- and 5-layer sigmoid nets the last hidden layer saturates early and training stalls for many epochs.");

    public static readonly Claim C8 = new("C8", "ReLU's sparsity does not reduce the gradient.",
        "Glorot, Bordes and Bengio, Deep Sparse Rectifier Neural Networks, AISTATS 2011, section 3.1",
        "Gradients flow undiminished along the active paths.");

    public static readonly Claim C9 = new("C9", "Only if all units of all layers die does a network stop learning.",
        "The much-read answer itself; against it: Lu, Shin, Su and Karniadakis, Dying ReLU and Initialization, arXiv 1903.06733 (2019)",
        "In a plain feed-forward net one fully dead layer suffices: it zeroes every gradient upstream and "
        + "the next layer's weight gradient.");

    public static readonly Claim C10 = new("C10", "Pair the activation with the right initialisation.",
        "He, Zhang, Ren and Sun, Delving Deep into Rectifiers, ICCV 2015; Glorot and Bengio, AISTATS 2010",
        "A 30-layer ReLU net did not learn with Xavier's initialisation and did with Kaiming's (ICCV 2015, figure 3).");

    public static readonly Claim C11 = new("C11", "ReLU is not zero-centred; leaky ReLU addresses it.",
        "LeCun, Bottou, Orr and Mueller, Efficient BackProp, 1998, section 4.3; Clevert et al., ICLR 2016",
        "For a standard normal input the mean of ReLU is 0.399 and that of leaky ReLU with slope 0.01 is 0.395: a shift of 1 %.");

    public static readonly Claim C12 = new("C12", "Rectifier nets keep their error until about 85 % of the activations are zero.",
        "Glorot, Bordes and Bengio, Deep Sparse Rectifier Neural Networks, AISTATS 2011, figure 3",
        "On MNIST the error was flat up to 85 % zeros, and a bit lower at 70-85 % than without sparsity.");
}

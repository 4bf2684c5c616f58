namespace TrainingService.Host.Studies;

/// <summary>
/// A claim of the answer to "why is ReLU and not leaky ReLU the default?", which everybody repeats and nobody tests, taken apart into
/// statements that can each come out true, false or open.
/// </summary>
/// <param name="Id">C1 to C12.</param>
/// <param name="Text">The claim in one sentence.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="Literature">What the literature leads one to expect: never a result of this service.</param>
/// <param name="Statements">Their texts; (a) is the first.</param>
public sealed record Claim(string Id, string Text, string Source, string? Literature, IReadOnlyList<string> Statements)
{
    /// <summary>The statement by its letter.</summary>
    public Statement this[char letter] => new($"{Id}{letter}", Statements[letter - 'a']);

    /// <summary>What the evidence says of the statements that it bears on.</summary>
    public ClaimReport Report(params IReadOnlyList<StatementReport> statements) => new(Id, Text, Source, Literature, statements);
}

/// <summary>What the evidence says of a claim: a verdict on each of its statements, and none on the whole.</summary>
/// <param name="Id">C1 to C12.</param>
/// <param name="Claim">The claim in one sentence.</param>
/// <param name="Source">Where the claim comes from.</param>
/// <param name="Literature">What the literature leads one to expect. Not a result of this service.</param>
/// <param name="Statements">Those that the study bears on.</param>
public sealed record ClaimReport(string Id, string Claim, string Source, string? Literature, IReadOnlyList<StatementReport> Statements);

/// <summary>The claims by number.</summary>
public static class Claims
{
    public static readonly Claim C1 = new("C1", "Leaky ReLU mitigates dying ReLU units.",
        "Maas, Hannun and Ng, Rectifier Nonlinearities Improve Neural Network Acoustic Models, ICML workshop 2013",
        "A leaky unit has a gradient on both sides, so it can't be gradient-dead by construction; "
        + "whether that helps depends on how many units die.",
        ["At the end of training some units of ReLU are off on every row.",
            "Fewer of leaky ReLU's units than of ReLU's are off on every row, by the same measure.",
            "Units that were off on every row come back more often with leaky ReLU than with ReLU.",
            "With leaky ReLU the accuracy on test rows is not worse than with ReLU by more than matters."]);

    public static readonly Claim C2 = new("C2", "Leaky ReLU doesn't slow training; ELU is expensive.",
        "Clevert, Unterthiner and Hochreiter, Fast and Accurate Deep Network Learning by Exponential Linear Units, ICLR 2016",
        "ELU needs an exponential; the authors report about 5 % more time per iteration for a large network.",
        ["An epoch with leaky ReLU takes no longer than one with ReLU, within 5 %.",
            "An epoch with ELU takes longer than one with ReLU.",
            "For each element leaky ReLU costs no more than ReLU, within 5 %.",
            "For each element ELU costs more than ReLU."]);

    public static readonly Claim C3 = new("C3", "A mistuned slope hurts; PReLU learns it.",
        "He, Zhang, Ren and Sun, Delving Deep into Rectifiers, ICCV 2015",
        "On ImageNet, PReLU improved the top-1 error of a 14-layer net by about 1.2 points over ReLU.",
        ["Some slope below 1 gives a lower test accuracy than the best one, by more than matters.",
            "PReLU is not worse than the best fixed slope by more than matters.",
            "The slope that PReLU learns, on the mean of a layer, is not worse than the best fixed one by more than matters."]);

    public static readonly Claim C4 = new("C4", "Dying hits a fraction of the units; dense ReLU layers are 50-90 % sparse.",
        "Glorot, Bordes and Bengio, Deep Sparse Rectifier Neural Networks, AISTATS 2011",
        "Rectifier nets of the paper had 68-83 % zeros after training.",
        ["In every hidden layer some units of ReLU, but not all, are off on every row.",
            "Of the entries of ReLU's live units 50 to 90 % are zero."]);

    public static readonly Claim C5 = new("C5", "Sparsity under-uses capacity, or acts as an implicit l1 penalty that generalises.",
        "Glorot, Bordes and Bengio, Deep Sparse Rectifier Neural Networks, AISTATS 2011", null,
        ["At equal width the layers' effective rank is lower, or the training loss higher, the sparser they are.",
            "At equal training loss the generalisation gap is smaller, the sparser the layers are."]);

    public static readonly Claim C6 = new("C6", "With large sparsity, dropout on top can be of no benefit.",
        "Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, Dropout, JMLR 15 (2014), section 7.2 on sparsity", null,
        ["There is a setting with more than 70 % zeros in which dropout brings no more than what matters."]);

    public static readonly Claim C7 = new("C7", "Tanh and sigmoid saturate, gradients vanish, training stops.",
        "Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010",
        "In the paper's 4- and 5-layer sigmoid nets the last hidden layer saturates early and training stalls for many epochs.",
        ["Entries saturate more with the largest initial weights than with the smallest.",
            "Of two scales of the initial weights, less of the gradient passes where more entries saturate.",
            "Training stalls as the gradient falls."]);

    public static readonly Claim C8 = new("C8", "ReLU's sparsity does not reduce the gradient.",
        "Glorot, Bordes and Bengio, Deep Sparse Rectifier Neural Networks, AISTATS 2011, section 3.1",
        "Gradients flow undiminished along the active paths.",
        ["At the variance-preserving gain the gradient passes 30 ReLU layers undiminished, though half of the entries are zero.",
            "At equal weights (Xavier, gain 1) 30 ReLU layers diminish the gradient by 0.15 decades a layer, and 30 linear ones don't."]);

    public static readonly Claim C9 = new("C9", "Only if all units of all layers die does a network stop learning.",
        "The much-read answer itself; against it: Lu, Shin, Su and Karniadakis, Dying ReLU and Initialization, arXiv 1903.06733 (2019)",
        "In a plain feed-forward net one fully dead layer suffices: it zeroes every gradient upstream and "
        + "the next layer's weight gradient.",
        ["With one dead layer no gradient at all reaches the layers before it.",
            "With one dead layer the net is no better than one that knows only how frequent the classes are.",
            "With half of the layer's units dead, the same widths and draws, the net learns."]);

    public static readonly Claim C10 = new("C10", "Pair the activation with the right initialisation.",
        "He, Zhang, Ren and Sun, Delving Deep into Rectifiers, ICCV 2015; Glorot and Bengio, AISTATS 2010",
        "A 30-layer ReLU net did not learn with Xavier's initialisation and did with Kaiming's (ICCV 2015, figure 3).",
        ["At 3 layers ReLU with Kaiming's initialisation beats ReLU with Xavier's.",
            "At 10 layers ReLU with Kaiming's initialisation beats ReLU with Xavier's.",
            "At 30 layers ReLU with Kaiming's initialisation beats ReLU with Xavier's.",
            "At 3 layers tanh with Xavier's initialisation beats tanh with Kaiming's.",
            "At 10 layers tanh with Xavier's initialisation beats tanh with Kaiming's.",
            "At 30 layers tanh with Xavier's initialisation beats tanh with Kaiming's."]);

    public static readonly Claim C11 = new("C11", "ReLU is not zero-centred; leaky ReLU addresses it.",
        "LeCun, Bottou, Orr and Mueller, Efficient BackProp, 1998, section 4.3; Clevert et al., ICLR 2016",
        "For a standard normal input the mean of ReLU is 0.399 and that of leaky ReLU with slope 0.01 is 0.395: a shift of 1 %.",
        ["In trained nets the mean of ReLU's activations is more than 0.3 of their rms away from zero.",
            "Leaky ReLU with slope 0.01 brings this ratio down by at least 0.05.",
            "Leaky ReLU with slope 0.2 brings this ratio down by at least 0.05."]);

    public static readonly Claim C12 = new("C12", "Rectifier nets keep their error until about 85 % of the activations are zero.",
        "Glorot, Bordes and Bengio, Deep Sparse Rectifier Neural Networks, AISTATS 2011, figure 3",
        "On MNIST the error was flat up to 85 % zeros, and a bit lower at 70-85 % than without sparsity.",
        ["Up to 85 % zeros the accuracy is the same, within what matters, as without a penalty on activations.",
            "Beyond 85 % zeros the accuracy is worse."]);
}

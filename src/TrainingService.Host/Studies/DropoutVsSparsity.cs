namespace TrainingService.Host.Studies;

/// <summary>Dropout on dense and on sparse layers.</summary>
public sealed class DropoutVsSparsity : Study
{
    private const string Dense = "dense", DenseDropout = "dense, dropout", Sparse = "sparse", SparseDropout = "sparse, dropout";

    public override string Name => "dropout-vs-sparsity";
    public override string Question => "Is dropout of benefit where layers are sparse already?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C6];
    public override string Method =>
        "Test accuracy with and without dropout (0.3) of ReLU nets, made sparser by an l1 penalty on activations or not, "
        + "on few training rows, where dropout can help; interaction contrast on the gains, paired by seed, exact sign-flip test.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 40 : 24;

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": "", "maxTrainExamples": {{(size == StudySize.Quick ? 400 : 4000)}} },
            "model": {"hiddenLayers": [256, 256], "activation": "relu", "initializer": "kaiming_normal"},
            "training": {"epochs": {{(size == StudySize.Quick ? 60 : 30)}}, "batchSize": 32,
                         "optimizer": {"name": "sgd", "learningRate": 0.03, "momentum": 0.9}, "schedule": "cosine"},
            "diagnostics": {"everySteps": 500}
          },
          "arms": [
            {"name": "{{Dense}}"},
            {"name": "{{DenseDropout}}", "patch": {"model": {"dropout": 0.3} } },
            {"name": "{{Sparse}}", "patch": {"training": {"activityL1": 0.03} } },
            {"name": "{{SparseDropout}}", "patch": {"model": {"dropout": 0.3}, "training": {"activityL1": 0.03} } }
          ],
          "baseline": "{{Dense}}",
          "contrasts": [{"arm": "{{DenseDropout}}", "baseline": "{{Dense}}"}, {"arm": "{{SparseDropout}}", "baseline": "{{Sparse}}"}]
        }
        """;

    public override StudyReading Read(StudyEvidence e)
    {
        var family = e.Family("testAccuracy", e.Spec.Delta, (DenseDropout, Dense), (SparseDropout, Sparse));
        var interaction = e.Interaction("testAccuracy", DenseDropout, Dense, SparseDropout, Sparse);
        var sparse = StudyEvidence.Percent(e.Hidden(Sparse, row => row.Sparsity));
        // No benefit on sparse layers: the gain there is nil or negative.
        var verdict = family[1].Verdict switch
        {
            Statistics.Verdict.Equivalent or Statistics.Verdict.Negligible or Statistics.Verdict.Refuted => Statistics.Verdict.Supported,
            Statistics.Verdict.Supported => Statistics.Verdict.Refuted,
            _ => Statistics.Verdict.Inconclusive,
        };
        return new($"On layers that are {sparse} zeros: {family[1].Sentence} On layers that are "
            + $"{StudyEvidence.Percent(e.Hidden(Dense, row => row.Sparsity))} zeros: {family[0].Sentence}",
        [
            Studies.Claims.C6.Report(verdict,
                $"The sparse nets have {sparse} zeros. {family[1].Sentence} Interaction: {interaction.Sentence}",
                e, family[1].N, family[1].MeanDifference, family[1].Ci95),
        ]);
    }
}

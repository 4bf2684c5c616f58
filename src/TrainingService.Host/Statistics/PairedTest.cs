namespace TrainingService.Host.Statistics;

/// <summary>The test of a contrast's pairs: of their mean, or of their ranks where a diverged run among them leaves no mean.</summary>
/// <param name="Name">"sign_flip" or "signed_rank".</param>
/// <param name="PValue">Two-sided.</param>
/// <param name="Exact">All signs were counted.</param>
/// <param name="Side">That the ranks favour: 1 if the arm is better, -1 if the baseline; 0 of the sign-flip test.</param>
public readonly record struct PairedTest(string Name, double PValue, bool Exact, int Side)
{
    public static PairedTest Of(PairedDifferences pairs, Outcome outcome)
    {
        if (pairs.ArmOnly + pairs.BaselineOnly + pairs.Both == 0)
        {
            var flips = SignFlip.Test(pairs.Finite, pairs.Noise);
            return new("sign_flip", flips.PValue, flips.Exact, 0);
        }
        var signed = pairs.ScoresOf(pairs.InOrder.Length, outcome).Signed;
        var ranks = SignedRank.Test(signed);
        return new("signed_rank", ranks.PValue, ranks.Exact, Math.Sign(signed.Sum()) * (outcome.HigherIsBetter == false ? -1 : 1));
    }
}

using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Specs;
using TrainingService.Host.Catalog;
using TrainingService.Host.Http;

namespace TrainingService.Host.Reports;

public static class GetActivationPlot
{
    private const int Points = 240;
    private const double End = 6;

    /// <summary>A picture of an activation function and its derivative</summary>
    /// <remarks>
    /// For the parameters in the query, else for the defaults: <c>?negativeSlope=0.2</c>. Drawn from what the engine computes.
    /// </remarks>
    /// <response code="200">An SVG that needs nothing from outside.</response>
    public static Results<ContentHttpResult, ProblemHttpResult> Handle([AsParameters] ActivationSpec activation)
    {
        if (ActivationRegistry.Find(activation.Name) is null)
            return GetActivation.NotFound(activation.Name);
        var errors = new List<SpecError>();
        if (ActivationRegistry.Resolve(activation, "", errors) is not { } function)
            return Problems.Invalid(errors);
        float[] z = [.. Enumerable.Range(0, Points + 1).Select(i => (float)(2 * End * i / Points - End))];
        var values = function.Evaluate(z);
        return TypedResults.Text(ChartSvg.Draw(new Chart(function.Name, new("z"), new("f(z) and its derivative f′(z)"),
        [
            new("f", [.. z.Select((x, i) => new CurvePoint(x, values[i].Value))]),
            new("f′", [.. z.Select((x, i) => new CurvePoint(x, values[i].Derivative))]),
        ])
        { Note = $"{function.Info.Formula}." }), $"{GetJobPlot.MediaType}; charset=utf-8");
    }
}

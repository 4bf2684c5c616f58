using TrainingService.Engine.Data;
using TrainingService.Engine.Specs;
using TrainingService.Host.Datasets;

namespace TrainingService.Host.Tests.Datasets;

public sealed class ResolveTests
{
    private static readonly DatasetRegistry Registry = new("/nowhere/fashion");

    [Fact]
    public void Fills_in_the_defaults()
    {
        var (spec, shape) = Registry.Resolve(new() { Name = "digits" }, 1, [])!.Value;
        Assert.Equal(new()
        {
            Name = "digits",
            ValidationFraction = 0.1,
            MaxTrainExamples = null,
            Standardize = true,
            TestSplit = TestSplit.Fixed,
        }, spec);
        Assert.Equal(new(64, TargetKind.Classes, 10, 1293, 144, 360), shape with { ClassNames = null });
        Assert.Equal(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], shape.ClassNames);
        Assert.Equal(new(10, TargetKind.Number, 0, 1440, 160, 400),
            Registry.Resolve(new() { Name = "friedman1" }, 1, [])!.Value.Shape with { ClassNames = null });
    }

    [Theory]
    [InlineData("digts", "unknown dataset 'digts': did you mean 'digits'?")]
    [InlineData("Digits", "unknown dataset 'Digits': did you mean 'digits'?")]
    [InlineData("fashion_mnist", "unknown dataset 'fashion_mnist': did you mean 'fashion-mnist'?")]
    [InlineData("imagenet", "unknown dataset 'imagenet': there are breast_cancer, digits")]
    [InlineData("", "unknown dataset '': there are breast_cancer, digits")]
    public void An_unknown_name_is_refused_with_the_nearest(string name, string message) =>
        AssertError(new() { Name = name }, "/dataset/name", message);

    [Theory]
    [InlineData(-0.1)]
    [InlineData(0.91)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void A_validation_fraction_outside_0_to_0_9_is_refused(double fraction) =>
        AssertError(new() { Name = "iris", ValidationFraction = fraction },
            "/dataset/validationFraction", "must be a number from 0 to 0.9");

    [Fact]
    public void A_percentage_is_recognized() =>
        AssertError(new() { Name = "iris", ValidationFraction = 20 }, "/dataset/validationFraction", "did you mean 0.2");

    [Theory]
    [InlineData("iris", 0, "at least 1")]
    [InlineData("iris", -5, "at least 1")]
    [InlineData("iris", 2, "at least 3, the number of classes")]
    [InlineData("digits", 9, "at least 10, the number of classes")]
    public void Too_few_training_rows_are_refused(string name, int most, string message) =>
        AssertError(new() { Name = name, MaxTrainExamples = most }, "/dataset/maxTrainExamples", message);

    [Fact]
    public void Every_broken_rule_is_told()
    {
        var errors = new List<SpecError>();
        Assert.Null(Registry.Resolve(new() { Name = "irs", ValidationFraction = 2, MaxTrainExamples = 0 }, 1, errors));
        Assert.Equal(["/dataset/validationFraction", "/dataset/name", "/dataset/maxTrainExamples"], errors.Select(error => error.Pointer));
    }

    [Fact]
    public void One_row_is_enough_for_a_number() =>
        Assert.Equal(1, Registry.Resolve(new() { Name = "friedman1", MaxTrainExamples = 1 }, 1, [])!.Value.Shape.TrainRows);

    [Fact]
    public void Errors_of_others_do_not_count() =>
        Assert.NotNull(Registry.Resolve(new() { Name = "iris" }, 1, new List<SpecError> { new("/model", "broken") }));

    private static void AssertError(DatasetSpec spec, string pointer, string message)
    {
        var errors = new List<SpecError>();
        Assert.Null(Registry.Resolve(spec, 1, errors));
        var error = Assert.Single(errors);
        Assert.Equal(pointer, error.Pointer);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }
}

using TrainingService.Host.Catalog;

namespace TrainingService.Host.Pages;

public static class ShowCatalogue
{
    public static IResult Handle() => new PageResult<CataloguePage>(new()
    {
        [nameof(CataloguePage.Activations)] = ListActivations.Handle().Value?.Items ?? [],
        [nameof(CataloguePage.Initializers)] = ListInitializers.Handle().Value?.Items ?? [],
    });
}

namespace TrainingService.Engine.Tests.Golden;

/// <summary>Golden runs that the engine doesn't have all parts for. <see cref="GoldenRunTests"/> asserts that this list is exact.</summary>
public static class NotYet
{
    public static IReadOnlyDictionary<string, string> Reasons { get; } = new Dictionary<string, string>
    {
        ["activation-celu_1"] = "activation celu",
        ["activation-hard_shrink_0.5"] = "activation hard_shrink",
        ["activation-hard_sigmoid"] = "activation hard_sigmoid",
        ["activation-hard_silu"] = "activation hard_silu",
        ["activation-hard_tanh"] = "activation hard_tanh",
        ["activation-log_sigmoid"] = "activation log_sigmoid",
        ["activation-mish"] = "activation mish",
        ["activation-relu6"] = "activation relu6",
        ["activation-soft_shrink_0.5"] = "activation soft_shrink",
        ["activation-softsign"] = "activation softsign",
        ["activation-tanh_shrink"] = "activation tanh_shrink",
        ["loss-cross-entropy-label-smoothing"] = "label smoothing",
        ["loss-huber"] = "loss huber",
        ["optimizer-adamw"] = "optimizer adamw",
        ["optimizer-rmsprop"] = "optimizer rmsprop",
        ["optimizer-rmsprop-momentum"] = "optimizer rmsprop",
        ["regularization-activity-l1"] = "activity l1",
        ["regularization-activity-l1-tanh"] = "activity l1",
        ["regularization-clip-norm"] = "clip norm",
        ["structure-batch-norm"] = "layer batch_norm",
        ["structure-layer-norm"] = "layer layer_norm",
        ["structure-residual"] = "layer residual",
        ["structure-residual-batch-norm"] = "layers residual and batch_norm",
        ["structure-residual-linear-end"] = "layer residual",
    };
}

namespace TrainingService.Host.Settings;

/// <summary>The service can't start; the message is the one sentence that tells its operator what to do.</summary>
public sealed class StartRefusedException(string message) : Exception(message);

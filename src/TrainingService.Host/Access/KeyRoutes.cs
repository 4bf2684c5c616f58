using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Access;

public static class KeyRoutes
{
    public static void AddAccess(this WebApplicationBuilder builder)
    {
        Cors.Add(builder);
        var (adminKey, tokens) = (AccessSettings.Read(builder.Configuration), TokenSettings.Read(builder.Configuration));
        builder.Services.AddSingleton(services => new AccessSettings(adminKey, tokens,
            services.GetRequiredService<IDbContextFactory<TrainingDbContext>>(), services.GetRequiredService<TimeProvider>()));
        var schemes = builder.Services.AddAuthentication(KeyAuthentication.Name)
            .AddScheme<AuthenticationSchemeOptions, KeyAuthentication>(KeyAuthentication.Name, null);
        if (tokens is not null)
            schemes.AddJwtBearer(tokens.Configure);
        builder.Services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().AddRequirements(new ScopeRule.Requirement()).Build());
        builder.Services.AddSingleton<IAuthorizationHandler, ScopeRule>();
        builder.Services.AddSingleton<AuditLog>();
        builder.Services.AddHostedService(services => services.GetRequiredService<AuditLog>());
    }

    /// <summary>Comes before all that makes an answer of a failure.</summary>
    public static void UseAudit(this WebApplication app)
    {
        var audit = app.Services.GetRequiredService<AuditLog>();
        app.Use(async (http, next) =>
        {
            try
            {
                await next(http);
            }
            finally
            {
                audit.Add(http);
            }
        });
    }

    /// <summary>What comes after it needs a key, but for what is marked as open.</summary>
    public static void UseAccess(this WebApplication app)
    {
        app.UseAuthentication();
        app.UseRequestLimits();
        app.UseAuthorization();
        app.UseOwners();
    }

    public static void MapKeys(this IEndpointRouteBuilder api)
    {
        var keys = api.MapGroup("/keys").WithTags("Keys").WithMetadata(new NeedsScope(Scope.Admin));
        keys.MapPost("", CreateKey.Handle).WithName("createKey").Refuses(409, 413, 415);
        keys.MapGet("", ListKeys.Handle).WithName("listKeys");
        keys.MapPost("/{id:guid}/rotate", RotateKey.Handle).WithName("rotateKey").Refuses(404, 409);
        api.MapGet("/audit", ListAudit.Handle).WithName("listAudit").WithTags("Keys").WithMetadata(new NeedsScope(Scope.Admin));
        keys.MapDelete("/{id:guid}", RevokeKey.Handle).WithName("revokeKey").Refuses(404, 409);
    }
}

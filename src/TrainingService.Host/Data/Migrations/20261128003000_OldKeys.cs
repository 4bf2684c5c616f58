using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <summary>By which keys that are too old are found without reading the others.</summary>
    [DbContext(typeof(TrainingDbContext))]
    [Migration("20261128003000_OldKeys")]
    public sealed class OldKeys : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) =>
            migrationBuilder.CreateIndex(name: "ix_idempotency_keys_created_at", table: "idempotency_keys", column: "created_at");

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) =>
            migrationBuilder.DropIndex(name: "ix_idempotency_keys_created_at", table: "idempotency_keys");
    }
}

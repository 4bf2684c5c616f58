using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <summary>
    /// Whose each row is; nobody's of those that were stored before, and of those that a version before stores. Names are their owner's.
    /// </summary>
    [DbContext(typeof(TrainingDbContext))]
    [Migration("20261128060000_Owners")]
    public sealed class Owners : Migration
    {
        private static readonly string[] Shared = ["jobs", "sweeps", "dataset_versions", "model_versions"];
        private static readonly string[] Columns = ["owner", "id"];

        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            foreach (var table in (string[])[.. Shared, "idempotency_keys"])
                migrationBuilder.AddColumn<string>(name: "owner", table: table, type: "text", nullable: false, defaultValue: "");
            foreach (var table in Shared)
                migrationBuilder.AddColumn<string>(name: "visibility", table: table, type: "text", nullable: false,
                    defaultValue: "private");
            migrationBuilder.CreateIndex(name: "ix_jobs_owner_id", table: "jobs", columns: Columns, filter: "owner <> ''");
            migrationBuilder.CreateIndex(name: "ix_jobs_shared", table: "jobs", column: "id", filter: "visibility = 'everyone'");
            migrationBuilder.CreateIndex(name: "ix_sweeps_owner_id", table: "sweeps", columns: Columns, filter: "owner <> ''");
            Key(migrationBuilder, "dataset_versions", "name, owner, version");
            Key(migrationBuilder, "model_versions", "name, owner, version");
            Key(migrationBuilder, "idempotency_keys", "key, owner");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            Key(migrationBuilder, "dataset_versions", "name, version");
            Key(migrationBuilder, "model_versions", "name, version");
            Key(migrationBuilder, "idempotency_keys", "key");
            migrationBuilder.DropIndex(name: "ix_sweeps_owner_id", table: "sweeps");
            migrationBuilder.DropIndex(name: "ix_jobs_shared", table: "jobs");
            migrationBuilder.DropIndex(name: "ix_jobs_owner_id", table: "jobs");
            foreach (var table in Shared)
                migrationBuilder.DropColumn(name: "visibility", table: table);
            foreach (var table in (string[])[.. Shared, "idempotency_keys"])
                migrationBuilder.DropColumn(name: "owner", table: table);
        }

        private static void Key(MigrationBuilder migrationBuilder, string table, string columns)
        {
            migrationBuilder.Sql($"ALTER TABLE {table} DROP CONSTRAINT pk_{table}");
            migrationBuilder.Sql($"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY ({columns})");
        }
    }
}

using System;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <summary>Who changed what.</summary>
    [DbContext(typeof(TrainingDbContext))]
    [Migration("20261128061000_Audit")]
    public sealed class Audit : Migration
    {
        private static readonly string[] OfOwner = ["owner", "id"], OfTarget = ["target", "id"];

        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "audit",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    owner = table.Column<string>(type: "text", nullable: false),
                    key_id = table.Column<Guid>(type: "uuid", nullable: true),
                    key_name = table.Column<string>(type: "text", nullable: true),
                    method = table.Column<string>(type: "text", nullable: false),
                    route = table.Column<string>(type: "text", nullable: false),
                    target = table.Column<string>(type: "text", nullable: true),
                    made = table.Column<string>(type: "text", nullable: true),
                    status = table.Column<int>(type: "integer", nullable: false),
                    address = table.Column<string>(type: "text", nullable: true),
                },
                constraints: table => table.PrimaryKey("pk_audit", x => x.id));
            migrationBuilder.CreateIndex(name: "ix_audit_owner_id", table: "audit", columns: OfOwner);
            migrationBuilder.CreateIndex(name: "ix_audit_target_id", table: "audit", columns: OfTarget);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable(name: "audit");
    }
}

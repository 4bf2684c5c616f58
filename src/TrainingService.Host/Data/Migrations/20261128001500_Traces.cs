using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <summary>Which request asked for a job, or for the sweep that it is of; null of those that were stored before.</summary>
    [DbContext(typeof(TrainingDbContext))]
    [Migration("20261128001500_Traces")]
    public sealed class Traces : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(name: "traceparent", table: "jobs", type: "text", nullable: true);
            migrationBuilder.AddColumn<string>(name: "traceparent", table: "job_templates", type: "text", nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(name: "traceparent", table: "job_templates");
            migrationBuilder.DropColumn(name: "traceparent", table: "jobs");
        }
    }
}

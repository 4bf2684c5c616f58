using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <summary>Which arm of a sweep a job is a run of; null of those that were stored before.</summary>
    [DbContext(typeof(TrainingDbContext))]
    [Migration("20261128053000_ArmsOfJobs")]
    public sealed class ArmsOfJobs : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) =>
            migrationBuilder.AddColumn<string>(name: "arm", table: "job_templates", type: "text", nullable: true);

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) =>
            migrationBuilder.DropColumn(name: "arm", table: "job_templates");
    }
}

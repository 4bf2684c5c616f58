using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <inheritdoc />
    public partial class BestArms : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<short>(
                name: "best_arm",
                table: "sweeps",
                type: "smallint",
                nullable: true);

            migrationBuilder.AddColumn<Guid>(
                name: "best_job_id",
                table: "sweeps",
                type: "uuid",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "best_seed",
                table: "sweeps",
                type: "bigint",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "ix_sweeps_best_job_id",
                table: "sweeps",
                column: "best_job_id");

            migrationBuilder.AddForeignKey(
                name: "fk_sweeps_jobs_best_job_id",
                table: "sweeps",
                column: "best_job_id",
                principalTable: "jobs",
                principalColumn: "id",
                onDelete: ReferentialAction.SetNull);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropForeignKey(
                name: "fk_sweeps_jobs_best_job_id",
                table: "sweeps");

            migrationBuilder.DropIndex(
                name: "ix_sweeps_best_job_id",
                table: "sweeps");

            migrationBuilder.DropColumn(
                name: "best_arm",
                table: "sweeps");

            migrationBuilder.DropColumn(
                name: "best_job_id",
                table: "sweeps");

            migrationBuilder.DropColumn(
                name: "best_seed",
                table: "sweeps");
        }
    }
}

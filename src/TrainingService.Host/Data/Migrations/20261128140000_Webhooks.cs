using System;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <summary>
    /// Who is told when a job or a sweep ends. The delivery is made by a trigger, in the transaction that ends it, so that it is there
    /// whoever ends it (workers of a version before among them) and only then; of rows that nobody is told of, the trigger's condition is
    /// all that is looked at.
    /// </summary>
    [DbContext(typeof(TrainingDbContext))]
    [Migration("20261128140000_Webhooks")]
    public sealed class Webhooks : Migration
    {
        private static readonly string[] OfOwner = ["owner", "id"];

        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(name: "notify_url", table: "jobs", type: "text", nullable: true);
            migrationBuilder.AddColumn<string>(name: "notify_url", table: "sweeps", type: "text", nullable: true);
            migrationBuilder.CreateTable(
                name: "webhook_deliveries",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    owner = table.Column<string>(type: "text", nullable: false),
                    @event = table.Column<string>(name: "event", type: "text", nullable: false),
                    job_id = table.Column<Guid>(type: "uuid", nullable: true),
                    sweep_id = table.Column<Guid>(type: "uuid", nullable: true),
                    url = table.Column<string>(type: "text", nullable: false),
                    body = table.Column<string>(type: "text", nullable: false),
                    status = table.Column<string>(type: "text", nullable: false),
                    attempts = table.Column<int>(type: "integer", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    next_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    last_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    answer = table.Column<int>(type: "integer", nullable: true),
                    error = table.Column<string>(type: "text", nullable: true),
                },
                constraints: table => table.PrimaryKey("pk_webhook_deliveries", x => x.id));
            migrationBuilder.CreateIndex(name: "ix_webhook_deliveries_next_at", table: "webhook_deliveries", column: "next_at",
                filter: "next_at IS NOT NULL");
            migrationBuilder.CreateIndex(name: "ix_webhook_deliveries_owner_id", table: "webhook_deliveries", columns: OfOwner);
            migrationBuilder.CreateIndex(name: "ix_webhook_deliveries_job_id", table: "webhook_deliveries", column: "job_id",
                filter: "job_id IS NOT NULL");
            migrationBuilder.CreateIndex(name: "ix_webhook_deliveries_sweep_id", table: "webhook_deliveries", column: "sweep_id",
                filter: "sweep_id IS NOT NULL");
            migrationBuilder.CreateTable(
                name: "webhook_secret",
                columns: table => new
                {
                    id = table.Column<short>(type: "smallint", nullable: false),
                    secret = table.Column<byte[]>(type: "bytea", nullable: false),
                },
                constraints: table => table.PrimaryKey("pk_webhook_secret", x => x.id));
            migrationBuilder.Sql("""
                CREATE FUNCTION webhook_time(at timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS $$
                    SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') $$
                """);
            // the id is a UUIDv7, as all are
            migrationBuilder.Sql("""
                CREATE FUNCTION add_webhook(whose text, what text, job uuid, sweep uuid, address text, ended timestamptz, data json)
                RETURNS void LANGUAGE sql AS $$
                    INSERT INTO webhook_deliveries (id, owner, event, job_id, sweep_id, url, body, status, attempts, created_at, next_at)
                    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING
                            substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
                            52, 1), 53, 1), 'hex')::uuid,
                        whose, what, job, sweep, address,
                        json_build_object('type', what, 'timestamp', webhook_time(ended), 'data', data)::text,
                        'pending', 0, now(), now() $$
                """);
            migrationBuilder.Sql("""
                CREATE FUNCTION note_job_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    PERFORM add_webhook(NEW.owner, 'job.' || NEW.status, NEW.id, NULL, NEW.notify_url, NEW.finished_at, json_build_object(
                        'id', NEW.id, 'name', NEW.name, 'status', NEW.status, 'attempt', NEW.attempt, 'labels', NEW.labels,
                        'result', NEW.result - 'confusion' - 'perClass', 'error', CASE WHEN NEW.error_code IS NOT NULL THEN
                            json_build_object('code', NEW.error_code, 'message', NEW.error_message) END,
                        'findings', NEW.findings, 'createdAt', webhook_time(NEW.created_at), 'startedAt', webhook_time(NEW.started_at),
                        'finishedAt', webhook_time(NEW.finished_at), 'links', json_build_object('self', '/api/v1/jobs/' || NEW.id)));
                    RETURN NULL; END $$
                """);
            migrationBuilder.Sql("""
                CREATE TRIGGER note_job_end AFTER UPDATE OF status ON jobs FOR EACH ROW
                    WHEN (NEW.notify_url IS NOT NULL AND NEW.finished_at IS NOT NULL AND OLD.finished_at IS NULL)
                    EXECUTE FUNCTION note_job_end()
                """);
            migrationBuilder.Sql("""
                CREATE FUNCTION note_sweep_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    PERFORM add_webhook(NEW.owner, 'sweep.' || NEW.status, NULL, NEW.id, NEW.notify_url, NEW.finished_at, json_build_object(
                        'id', NEW.id, 'name', NEW.name, 'status', NEW.status, 'study', NEW.study,
                        'error', CASE WHEN NEW.error_code IS NOT NULL THEN
                            json_build_object('code', NEW.error_code, 'message', NEW.error_message) END,
                        'createdAt', webhook_time(NEW.created_at), 'finishedAt', webhook_time(NEW.finished_at),
                        'links', json_build_object('self', '/api/v1/sweeps/' || NEW.id,
                            'report', '/api/v1/sweeps/' || NEW.id || '/report')));
                    RETURN NULL; END $$
                """);
            migrationBuilder.Sql("""
                CREATE TRIGGER note_sweep_end AFTER UPDATE OF status ON sweeps FOR EACH ROW
                    WHEN (NEW.notify_url IS NOT NULL AND NEW.finished_at IS NOT NULL AND OLD.finished_at IS NULL)
                    EXECUTE FUNCTION note_sweep_end()
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP TRIGGER note_job_end ON jobs");
            migrationBuilder.Sql("DROP TRIGGER note_sweep_end ON sweeps");
            migrationBuilder.Sql("DROP FUNCTION note_job_end(), note_sweep_end()");
            migrationBuilder.Sql("DROP FUNCTION add_webhook(text, text, uuid, uuid, text, timestamptz, json)");
            migrationBuilder.Sql("DROP FUNCTION webhook_time(timestamptz)");
            migrationBuilder.DropTable(name: "webhook_secret");
            migrationBuilder.DropTable(name: "webhook_deliveries");
            migrationBuilder.DropColumn(name: "notify_url", table: "jobs");
            migrationBuilder.DropColumn(name: "notify_url", table: "sweeps");
        }
    }
}

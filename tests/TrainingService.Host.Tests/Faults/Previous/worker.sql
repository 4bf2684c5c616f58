AS SELECT migration_id, product_version
FROM "__EFMigrationsHistory"
ORDER BY migration_id
;;
AS UPDATE job_models SET sha256 = NULL, retired_at = $1, retired_reason = $2
WHERE sha256 IS NOT NULL AND stored_at < $3
    AND NOT EXISTS (SELECT FROM model_versions version WHERE version.job_id = job_models.job_id)
;;
AS WITH kept AS (
    SELECT sha256, sum(stored_bytes) OVER (ORDER BY held DESC, newest DESC, sha256) AS total, held FROM (
        SELECT weights.sha256, weights.stored_bytes, max(model.stored_at) AS newest, bool_or(EXISTS (
            SELECT FROM model_versions version WHERE version.job_id = model.job_id)) AS held
        FROM weights JOIN job_models model USING (sha256) GROUP BY weights.sha256, weights.stored_bytes) each)
UPDATE job_models SET sha256 = NULL, retired_at = $1, retired_reason = $2
FROM kept WHERE job_models.sha256 = kept.sha256 AND kept.total > $3 AND NOT kept.held
;;
AS SELECT s.id
FROM sweeps AS s
WHERE s.finished_at IS NULL AND NOT EXISTS (
    SELECT 1
    FROM jobs AS j
    WHERE j.sweep_id = s.id AND j.finished_at IS NULL)
;;
(interval) AS SELECT session.pid AS "Value" FROM jobs
JOIN pg_locks held ON held.locktype = 'transactionid' AND held.granted AND held.transactionid = jobs.xmax
JOIN pg_stat_activity session ON session.pid = held.pid
WHERE jobs.status IN ('running', 'canceling') AND session.datname = current_database()
    AND session.wait_event = 'ClientRead' AND session.xact_start < now() - $1
;;
AS SELECT s.id, s.best_arm, s.best_job_id, s.best_seed, s.created_at, s.error_code, s.error_message, s.extended, s.finished_at, s.measured, s.name, s.spec, s.status, s.study, s.study_size, s.xmin
FROM sweeps AS s
WHERE s.finished_at IS NULL AND s.status <> 'canceling' AND s.measured IS NULL AND s.study IS NOT NULL AND s.study = ANY ($1) AND NOT EXISTS (
    SELECT 1
    FROM jobs AS j
    WHERE j.sweep_id = s.id AND j.finished_at IS NULL)
ORDER BY s.id
;;
AS SELECT EXISTS (
    SELECT 1
    FROM jobs AS j
    WHERE j.status = 'queued')
;;
AS SELECT t.id, t.activations, t.attempt, t.cost, t.crashes, t.created_at, t.dataset, t.epoch, t.epochs, t.error_code, t.error_message, t.eta_seconds, t.findings, t.finished_at, t.initializers, t.labels, t.layers, t.lease_owner, t.lease_until, t.name, t.request, t.spec, t.preflight, t.priority, t.result, t.samples_per_second, t.seed, t.started_at, t.status, t.step, t.steps, t.sweep_id, t.template_number, t.verifies, t.xmin, j.sweep_id, j.number, j.request, j.spec
FROM (
    SELECT *, xmin FROM jobs WHERE status IN ('running', 'canceling') AND lease_until < now() LIMIT $1 FOR UPDATE SKIP LOCKED
) AS t
LEFT JOIN job_templates AS j ON t.sweep_id = j.sweep_id AND t.template_number = j.number
;;
AS UPDATE jobs SET status = 'running', attempt = attempt + 1, lease_owner = $1, lease_until = now() + $2,
layers = NULL, findings = NULL, preflight = NULL, started_at = $3 WHERE id = $4 AND status = 'queued' RETURNING jobs.id, attempt, spec::text, request::text, priority, sweep_id, verifies, template_number, name, seed
;;
(smallint[], interval, text[], interval, bigint) AS SELECT t.id, t.activations, t.attempt, t.cost, t.crashes, t.created_at, t.dataset, t.epoch, t.epochs, t.error_code, t.error_message, t.eta_seconds, t.findings, t.finished_at, t.initializers, t.labels, t.layers, t.lease_owner, t.lease_until, t.name, t.request, t.spec, t.preflight, t.priority, t.result, t.samples_per_second, t.seed, t.started_at, t.status, t.step, t.steps, t.sweep_id, t.template_number, t.verifies, t.xmin, j.sweep_id, j.number, j.request, j.spec
FROM (
    SELECT *, xmin FROM jobs WHERE status = 'queued' AND sweep_id IS NULL AND priority = ANY ($1)
    AND created_at < now() - $2 AND NOT EXISTS (
        SELECT FROM hangfire.jobqueue entry JOIN hangfire.job wake ON wake.id = entry.jobid
        WHERE trim('"' FROM wake.arguments ->> 0) = jobs.id::text
        AND entry.queue = ANY ($3) AND (entry.fetchedat IS NULL OR entry.fetchedat > now() - $4))
    ORDER BY priority, id LIMIT $5 FOR UPDATE SKIP LOCKED
) AS t
LEFT JOIN job_templates AS j ON t.sweep_id = j.sweep_id AND t.template_number = j.number
;;
(interval) AS SELECT t.priority AS "Priority", count(*)::int AS "Count"
FROM (
    SELECT *, xmin FROM jobs WHERE status = 'queued' AND sweep_id IS NOT NULL AND created_at < now() - $1
) AS t
GROUP BY t.priority
;;
(uuid[], integer[]) AS SELECT jobs.id, jobs.status FROM jobs JOIN unnest($1, $2) AS lease (id, attempt) USING (id, attempt)
WHERE jobs.status IN ('running', 'canceling') ORDER BY jobs.id FOR UPDATE OF jobs
;;
(interval, uuid[], text[], timestamptz[], timestamptz[], integer[], bigint[], double precision[], double precision[], text[], text[], text[], text[], text[], text[]) AS UPDATE jobs SET status = coalesce(run.status, jobs.status), started_at = run.started_at, finished_at = run.finished_at,
    epoch = run.epoch, step = run.step, samples_per_second = run.samples_per_second, eta_seconds = run.eta_seconds,
    preflight = coalesce(run.preflight::jsonb, jobs.preflight), layers = coalesce(run.layers::jsonb, jobs.layers),
    findings = coalesce(run.findings::jsonb, jobs.findings), result = run.result::jsonb,
    error_code = run.error_code, error_message = run.error_message,
    lease_owner = CASE WHEN run.status IS NULL THEN lease_owner END,
    lease_until = CASE WHEN run.status IS NULL THEN now() + $1 END
FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
    $15) AS run (id, status, started_at, finished_at, epoch, step, samples_per_second, eta_seconds, preflight, layers,
        findings, result, error_code, error_message)
WHERE jobs.id = run.id
;;
COPY job_metrics (job_id, step, split, epoch, loss, penalty, accuracy, rmse, r2, learning_rate, gradient_norm) FROM STDIN (FORMAT BINARY)
;;
COPY job_layers (job_id, step, layer, epoch, histogram, sparsity, off_rate, dead_fraction, born_dead_fraction, died_fraction, revived_fraction, near_dead_fraction, negative_locked_fraction, dormant_fraction, dormant_fraction_at0, dormant_fraction_at10, saturation, saturation_above95, saturation_above99, saturated_unit_fraction, mean_activation, rms_activation, mean_abs_activation, effective_rank, gradient_rms, update_ratio, weight_rms, slope, slope_min, slope_max) FROM STDIN (FORMAT BINARY)
;;
(uuid[], text[], text[], text[]) AS INSERT INTO job_findings (job_id, rule, layer, finding)
SELECT id, rule, layer, finding::jsonb FROM unnest($1, $2, $3, $4) AS fresh (id, rule, layer, finding)
ON CONFLICT (job_id, rule, layer) DO UPDATE SET finding = excluded.finding
;;
COPY job_units (job_id, layer, units) FROM STDIN (FORMAT BINARY)
;;
AS INSERT INTO weights (sha256, bytes, stored_bytes, stored_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (sha256) DO UPDATE SET stored_at = excluded.stored_at RETURNING (xmax = 0) AS "Value"
;;
AS INSERT INTO job_models (job_id, card, retired_at, retired_reason, sha256, stored_at)
VALUES ($1, $2, $3, $4, $5, $6)
;;
AS SELECT d.name, d.version, d.content_id, d.created_at, d.facts, d.sha256
FROM dataset_versions AS d
WHERE d.name = $1 AND d.sha256 = $2
ORDER BY d.version DESC
LIMIT 1
;;
AS SELECT d.schema
FROM dataset_contents AS d
WHERE d.id = $1
LIMIT 2
;;
AS SELECT d.packed
FROM dataset_chunks AS d
WHERE d.content_id = $1
ORDER BY d.number
;;
(double precision, bigint, bigint, double precision, text, interval, timestamptz) AS WITH RECURSIVE source AS (
    (SELECT priority, coalesce(jobs.sweep_id, '00000000-0000-0000-0000-000000000000') AS id FROM jobs WHERE status = 'queued' ORDER BY 1, 2 LIMIT 1)
    UNION ALL
    SELECT priority, (SELECT coalesce(jobs.sweep_id, '00000000-0000-0000-0000-000000000000') FROM jobs
        WHERE status = 'queued' AND jobs.priority = source.priority AND coalesce(jobs.sweep_id, '00000000-0000-0000-0000-000000000000') > source.id ORDER BY coalesce(jobs.sweep_id, '00000000-0000-0000-0000-000000000000') LIMIT 1)
    FROM source WHERE id IS NOT NULL),
busy AS (
    SELECT coalesce(jobs.sweep_id, '00000000-0000-0000-0000-000000000000') AS id, count(DISTINCT (lease_owner, lease_until)) AS workers
    FROM jobs WHERE status IN ('running', 'canceling') GROUP BY 1),
chosen AS (
    SELECT priority, id FROM source LEFT JOIN busy USING (id) WHERE id IS NOT NULL
    ORDER BY coalesce(workers, 0), random() LIMIT 1),
share AS (
    SELECT CASE WHEN min(cost) >= $1 THEN 1
        ELSE greatest(1, least($2, greatest(count(*) / (2 * $3), floor($4 / max(cost)))))::bigint END AS runs
    FROM (SELECT cost FROM jobs
        WHERE status = 'queued' AND priority = (SELECT priority FROM chosen) AND coalesce(jobs.sweep_id, '00000000-0000-0000-0000-000000000000') = (SELECT id FROM chosen)
        LIMIT $2 * 2 * $3) waiting),
taken AS (
    SELECT ARRAY(SELECT seed FROM jobs WHERE status IN ('running', 'canceling') AND coalesce(jobs.sweep_id, '00000000-0000-0000-0000-000000000000') = (SELECT id FROM chosen)
        AND seed IS NOT NULL) AS seeds FROM share WHERE runs = 1),
apart AS (
    SELECT EXISTS (SELECT FROM jobs
        WHERE status = 'queued' AND priority = (SELECT priority FROM chosen) AND coalesce(jobs.sweep_id, '00000000-0000-0000-0000-000000000000') = (SELECT id FROM chosen)
            AND seed <> ALL (seeds)) AS possible FROM taken),
candidate AS (
    SELECT id, cost, attempt FROM jobs
    WHERE status = 'queued' AND priority = (SELECT priority FROM chosen) AND coalesce(jobs.sweep_id, '00000000-0000-0000-0000-000000000000') = (SELECT id FROM chosen)
        AND ((SELECT possible FROM apart) IS NOT TRUE OR seed <> ALL ((SELECT seeds FROM taken)::bigint[]))
    ORDER BY id LIMIT (SELECT runs FROM share) FOR UPDATE SKIP LOCKED),
placed AS (
    SELECT id, row_number() OVER earlier AS place, sum(cost) OVER earlier - cost AS before,
        bool_and(attempt = 0) OVER earlier AS fresh
    FROM candidate WINDOW earlier AS (ORDER BY id)),
picked AS (
    SELECT id, place, max(place) OVER () AS runs FROM placed WHERE place = 1 OR fresh AND before < $1)
UPDATE jobs SET status = 'running', attempt = attempt + 1, lease_owner = $5, lease_until = now() + $6,
layers = NULL, findings = NULL, preflight = NULL, started_at = CASE WHEN runs = 1 THEN $7 END FROM picked WHERE jobs.id = picked.id RETURNING jobs.id, attempt, spec::text, request::text, priority, sweep_id, verifies, template_number, name, seed
;;
AS SELECT j.sweep_id, j.number, j.request, j.spec
FROM job_templates AS j
WHERE j.sweep_id = $1 AND j.number = ANY ($2)
;;
AS SELECT EXISTS (
    SELECT 1
    FROM jobs AS j
    WHERE j.sweep_id = $1 AND j.finished_at IS NULL)
;;
AS SELECT *, xmin FROM sweeps WHERE id = $1 AND finished_at IS NULL FOR UPDATE
;;
AS SELECT s.sweep_id, s.arm, s.candidate, s.seed, s.job_id, s.spec_hash
FROM sweep_cells AS s
WHERE s.sweep_id = $1
;;
AS SELECT j.id AS "Id", j.status AS "Status", j.error_code AS "ErrorCode", j.epoch AS "Epoch", j.step AS "Step", j.result AS "Result", j.template_number AS "TemplateNumber", j.layers IS NOT NULL AS "IsBuilt"
FROM jobs AS j
WHERE j.sweep_id = $1
;;
AS SELECT j.id, j.activations, j.attempt, j.cost, j.crashes, j.created_at, j.dataset, j.epoch, j.epochs, j.error_code, j.error_message, j.eta_seconds, j.findings, j.finished_at, j.initializers, j.labels, j.layers, j.lease_owner, j.lease_until, j.name, j.request, j.spec, j.preflight, j.priority, j.result, j.samples_per_second, j.seed, j.started_at, j.status, j.step, j.steps, j.sweep_id, j.template_number, j.verifies, j.xmin, j0.sweep_id, j0.number, j0.request, j0.spec
FROM jobs AS j
LEFT JOIN job_templates AS j0 ON j.sweep_id = j0.sweep_id AND j.template_number = j0.number
WHERE j.id = ANY ($1)
;;
AS SELECT min(j.started_at)
FROM jobs AS j
WHERE j.sweep_id = $1
;;
AS SELECT EXISTS (
    SELECT 1
    FROM sweep_cells AS s
    INNER JOIN jobs AS j ON s.job_id = j.id
    WHERE s.sweep_id = $1 AND s.candidate = -1 AND (j.status = 'succeeded' OR j.error_code = 'diverged'))
;;
AS SELECT j.id, j.activations, j.attempt, j.cost, j.crashes, j.created_at, j.dataset, j.epoch, j.epochs, j.error_code, j.error_message, j.eta_seconds, j.findings, j.finished_at, j.initializers, j.labels, j.layers, j.lease_owner, j.lease_until, j.name, j.request, j.spec, j.preflight, j.priority, j.result, j.samples_per_second, j.seed, j.started_at, j.status, j.step, j.steps, j.sweep_id, j.template_number, j.verifies, j.xmin, j1.sweep_id, j1.number, j1.request, j1.spec
FROM jobs AS j
LEFT JOIN job_templates AS j1 ON j.sweep_id = j1.sweep_id AND j.template_number = j1.number
WHERE j.id = $1 AND CASE
    WHEN j.finished_at IS NULL THEN j.status <> 'canceling'
    ELSE EXISTS (
        SELECT 1
        FROM job_models AS j0
        WHERE j0.job_id = $1 AND j0.sha256 IS NOT NULL)
END
LIMIT 2
;;
AS SELECT j.id, j.activations, j.attempt, j.cost, j.crashes, j.created_at, j.dataset, j.epoch, j.epochs, j.error_code, j.error_message, j.eta_seconds, j.findings, j.finished_at, j.initializers, j.labels, j.layers, j.lease_owner, j.lease_until, j.name, j.request, j.spec, j.preflight, j.priority, j.result, j.samples_per_second, j.seed, j.started_at, j.status, j.step, j.steps, j.sweep_id, j.template_number, j.verifies, j.xmin, j0.sweep_id, j0.number, j0.request, j0.spec
FROM jobs AS j
LEFT JOIN job_templates AS j0 ON j.sweep_id = j0.sweep_id AND j.template_number = j0.number
WHERE j.id = $1
LIMIT 2
;;
AS INSERT INTO jobs (id, activations, attempt, cost, crashes, created_at, dataset, epoch, epochs, error_code, error_message, eta_seconds, findings, finished_at, initializers, labels, layers, lease_owner, lease_until, name, request, spec, preflight, priority, result, samples_per_second, seed, started_at, status, step, steps, sweep_id, template_number, verifies)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34)
RETURNING xmin
;;
AS UPDATE sweeps SET finished_at = $1, spec = $2, status = $3
WHERE id = $4 AND xmin = $5
RETURNING xmin
;;
AS UPDATE sweeps SET best_arm = $1, best_job_id = $2, best_seed = $3
WHERE id = $4 AND xmin = $5
RETURNING xmin
;;
AS INSERT INTO weight_chunks (part, sha256, data)
VALUES ($1, $2, $3)

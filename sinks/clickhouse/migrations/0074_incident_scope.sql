-- incidents, again: an incident may come to another level, so its scope and subject are those of its last signal, too.
-- The view has no ORDER BY; it reads the table that does.
CREATE OR REPLACE VIEW incidents ${on_cluster} AS
SELECT
    s.incident AS incident,
    any(s.fingerprint) AS fingerprint,
    any(s.kind) AS kind,
    argMax(s.subject, number) AS subject,
    argMax(s.scope, number) AS scope,
    argMax(s.state, number) AS state,
    argMax(s.severity, number) AS severity,
    argMax(s.started_at, number) AS started_at,
    min(s.observed_at) AS opened_at,
    max(s.observed_at) AS observed_at,
    maxOrNull(if(s.state = 'resolved', s.observed_at, NULL)) AS resolved_at,
    argMax(tuple(s.value), number).1 AS value,
    argMax(tuple(s.baseline), number).1 AS baseline,
    argMax(s.unit, number) AS unit,
    argMax(tuple(s.impact_usd_per_day), number).1 AS impact_usd_per_day,
    argMax(s.title, number) AS title,
    argMax(s.explanation, number) AS explanation,
    argMax(s.contributors, number) AS contributors,
    argMax(s.evidence, number) AS evidence,
    argMax(s.acknowledged_by, number) AS acknowledged_by,
    argMax(tuple(s.muted_until), number).1 AS muted_until,
    count() AS signals
FROM
(
    SELECT *, toUInt32OrZero(splitByChar('/', id)[-1]) AS number
    FROM signals FINAL
) AS s
GROUP BY s.incident;

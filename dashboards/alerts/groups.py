"""The groups of alert rules, and what rules about open incidents share."""

from typing import Final

from dashboards.alerts.rule import ANY_ROW, AlertRule, Group, Severity

SIGNALS: Final = Group("Signals", 60)
PIPELINE: Final = Group("Pipeline", 60)
LEDGER: Final = Group("Ledger", 300)

_DESCRIPTION: Final = (
    "{{ .Labels.about }}{{ if .Labels.subject }}, {{ .Labels.subject }}{{ end }}: "
    '{{ printf "%.2f" .Values.A.Value }} US dollars a day. Incident {{ .Labels.incident }}; '
    "weir signals --open says who, what and why."
)


def incident_rule(
    name: str,
    *,
    title: str,
    severity: Severity,
    summary: str,
    kind: str = "",
    board: str = "signals",
) -> AlertRule:
    """An alert for each incident that is open at this severity, of one kind or of any; what is over in the moment in
    which it happens, such as a price that moves, is an alert for a day.

    Muted incidents are left out. The texts of a row never change while an incident lasts, so it is one alert; the
    number is its dollars a day, 0 where they are not known.
    """
    # The words that are put into the SQL are those of the rules here, never a reader's.
    of_kind = f"kind = '{kind}' AND " if kind else ""
    return AlertRule(
        name=name,
        title=title,
        severity=severity,
        summary=summary,
        description=_DESCRIPTION,
        sql=f"""
SELECT
    incident,
    toString(kind) AS kind_of_signal,
    subject,
    arrayStringConcat(arraySort(arrayMap((name, value) -> concat(name, '=', value),
        mapKeys(scope), mapValues(scope))), ' ') AS about,
    toFloat64(ifNull(impact_usd_per_day, 0)) AS usd_per_day
FROM @ledger.incidents
WHERE {of_kind}severity = '{severity}'
    AND (state != 'resolved' OR (opened_at = resolved_at AND opened_at >= now('UTC') - INTERVAL 1 DAY))
    AND (muted_until IS NULL OR muted_until <= now('UTC'))
ORDER BY incident
""",  # noqa: S608
        above=ANY_ROW,
        group=SIGNALS,
        # No row means that nothing is open, which is well.
        no_data="OK",
        # A ledger that is away says nothing of an incident; `pipeline-silent` is the one rule that tells of it.
        error="KeepLast",
        # Detectors have waited already: an incident that is open is one.
        pending_seconds=0,
        board=board,
    )

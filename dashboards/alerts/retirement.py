"""Models that are going and are still called."""

from dashboards.alerts.groups import incident_rule

RULE = incident_rule(
    "retirement",
    kind="retirement",
    title="A model that is going is still called",
    severity="warning",
    board="migrations",
    summary="A model retires within 30 days and is still called: {{ .Labels.subject }}",
)

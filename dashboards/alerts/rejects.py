"""Reports that could not be read."""

from dashboards.alerts.groups import incident_rule

RULE = incident_rule(
    "rejects",
    kind="rejects",
    title="Reports are refused",
    severity="warning",
    board="pipeline",
    summary="Far more reports are refused than usually are: {{ .Labels.about }}",
)

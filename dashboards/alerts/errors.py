"""Calls that fail, or are turned away for their rate."""

from dashboards.alerts.groups import incident_rule

RULE = incident_rule(
    "errors",
    kind="errors",
    title="Calls fail",
    severity="warning",
    board="reliability",
    summary="Far more calls fail than usually do: {{ .Labels.about }}",
)

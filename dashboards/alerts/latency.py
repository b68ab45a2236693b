"""Durations and times to the first token."""

from dashboards.alerts.groups import incident_rule

RULE = incident_rule(
    "latency",
    kind="latency",
    title="Calls got slower",
    severity="warning",
    board="reliability",
    summary="Calls take longer than they usually do: {{ .Labels.about }}",
)

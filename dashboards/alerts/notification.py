"""Channels on which nobody could be told."""

from dashboards.alerts.groups import incident_rule

RULE = incident_rule(
    "notification",
    kind="notification",
    title="A channel cannot be reached",
    severity="warning",
    summary="People are not told: a channel of notifications keeps failing: {{ .Labels.subject }}",
)

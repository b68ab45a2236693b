"""Workloads whose calls go from one model to another."""

from dashboards.alerts.groups import incident_rule

RULE = incident_rule(
    "migration",
    kind="migration",
    title="Traffic moved to another model at a price",
    severity="warning",
    board="migrations",
    summary="A workload moves between models, and it costs more or was reversed: {{ .Labels.subject }}",
)

"""Models without a price whose calls are worth telling."""

from dashboards.alerts.groups import incident_rule

RULE = incident_rule(
    "unpriced",
    kind="unpriced",
    title="Models without a price",
    severity="warning",
    board="spend",
    summary="Calls of a model have no price: {{ .Labels.subject }}",
)

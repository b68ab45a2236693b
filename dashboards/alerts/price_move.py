"""Prices of models in use."""

from dashboards.alerts.groups import incident_rule

RULE = incident_rule(
    "price-move",
    kind="price_move",
    title="A price rose",
    severity="warning",
    board="prices",
    summary="A model in use became dearer: {{ .Labels.subject }}",
)

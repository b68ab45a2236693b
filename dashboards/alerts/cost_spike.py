"""Costs far above, or at nothing where they usually are something."""

from dashboards.alerts.groups import incident_rule

RULE = incident_rule(
    "cost-spike",
    kind="cost_spike",
    title="Costs jumped, or went silent",
    severity="warning",
    summary="A cost that jumped, or usage that went silent: {{ .Labels.about }}",
)

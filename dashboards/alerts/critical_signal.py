"""Whatever is critical, of any kind. Who is woken up is woken up by this rule."""

from dashboards.alerts.groups import incident_rule

RULE = incident_rule(
    "critical-signal",
    title="A critical signal is open",
    severity="critical",
    summary="Critical {{ .Labels.kind_of_signal }}: {{ .Labels.about }}",
)

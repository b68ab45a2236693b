"""What is spent of a budget, what it will come to, how fast it goes."""

from dashboards.alerts.groups import incident_rule

RULE = incident_rule(
    "budget",
    kind="budget",
    title="A budget is running out",
    severity="warning",
    board="budgets",
    summary="A budget is running out, or is over: {{ .Labels.subject }}",
)

"""Workloads beside each other, and against the period before."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.reliability.compared import COMPARED_FIELDS, HOW_TO_READ, compared_sql

PANEL = Panel(
    name="workloads",
    title="Whose users wait, and whose calls fail?",
    description=f"How long calls took and how they ended, by team, service and model, {HOW_TO_READ}",
    kind=Kind.TABLE,
    place=150,
    width=12,
    height=9,
    sql=compared_sql(("team", "service", "model")),
    fields=(
        Field("team", "Team", Unit.TEXT, variable="team"),
        Field("service", "Service", Unit.TEXT, variable="service"),
        Field("model", "Model", Unit.TEXT, variable="model"),
        *COMPARED_FIELDS,
    ),
)

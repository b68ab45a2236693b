"""Vendors, models and regions beside each other, and against the period before."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.reliability.compared import COMPARED_FIELDS, HOW_TO_READ, compared_sql

PANEL = Panel(
    name="models",
    title="Which model is slow, and which fails?",
    description=f"How long calls took and how they ended, by vendor, model and region, {HOW_TO_READ}",
    kind=Kind.TABLE,
    place=140,
    width=12,
    height=9,
    sql=compared_sql(("vendor", "model", "region")),
    fields=(
        Field("vendor", "Vendor", Unit.TEXT, variable="vendor"),
        Field("model", "Model", Unit.TEXT, variable="model"),
        Field("region", "Region", Unit.TEXT, variable="region"),
        *COMPARED_FIELDS,
    ),
)

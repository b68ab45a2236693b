"""One incident from its first signal to its last."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.signals.focus import FOCUS, WHICH

PANEL = Panel(
    name="story",
    title="What is this incident?",
    description=(
        f"What was said of one incident, the latest first, with what it costs a day as it was told then. {WHICH}"
    ),
    kind=Kind.TABLE,
    place=70,
    width=12,
    height=6,
    sql=f"""
WITH {FOCUS}
SELECT
    observed_at AS said_at,
    if(change = '', state, replaceAll(change, '_', ' ')) AS became,
    severity,
    title,
    explanation,
    impact_usd_per_day AS usd_per_day,
    value,
    baseline,
    unit,
    incident
FROM @ledger.signals FINAL
WHERE incident IN (SELECT incident FROM focus)
ORDER BY observed_at DESC, toUInt32OrZero(splitByChar('/', id)[-1]) DESC
LIMIT 100
""",
    fields=(
        Field("said_at", "Said", Unit.TIME),
        Field("became", "Became", Unit.TEXT),
        Field("severity", "Severity", Unit.TEXT),
        Field("title", "What", Unit.TEXT),
        Field("explanation", "Why", Unit.TEXT),
        Field("usd_per_day", "A day", Unit.USD_PER_DAY),
        Field("value", "Is", Unit.NUMBER),
        Field("baseline", "Usual", Unit.NUMBER),
        Field("unit", "In", Unit.TEXT),
        Field("incident", "Incident", Unit.TEXT, variable="incident"),
    ),
    empty="No incident went on in this period.",
)

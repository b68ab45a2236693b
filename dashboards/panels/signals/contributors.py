"""What one incident's money comes from."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.signals.focus import FOCUS, WHICH

PANEL = Panel(
    name="contributors",
    title="What is behind this incident?",
    description=(
        "The causes that were found, the first the likeliest, with what each adds a day. Those of a cost spike are "
        "the steps of its cost bridge and add up to it, but for small ones that are not told; those of other kinds "
        f"need not add up. {WHICH}"
    ),
    kind=Kind.TABLE,
    place=80,
    width=7,
    height=8,
    sql=f"""
WITH {FOCUS}
SELECT
    place,
    replaceAll(JSONExtractString(one, 'component'), '_', ' ') AS component,
    JSONExtractString(one, 'text') AS text,
    toDecimal128OrNull(JSONExtractString(one, 'usd_per_day'), 12) AS usd_per_day,
    JSONExtractString(one, 'scope', 'team') AS team,
    JSONExtractString(one, 'scope', 'service') AS service,
    JSONExtractString(one, 'scope', 'vendor') AS vendor,
    JSONExtractString(one, 'scope', 'model') AS model
FROM
(
    SELECT JSONExtractArrayRaw(contributors) AS causes
    FROM focus
)
ARRAY JOIN causes AS one, arrayEnumerate(causes) AS place
ORDER BY place
""",
    fields=(
        Field("place", "No.", Unit.COUNT),
        Field("component", "Cause", Unit.TEXT),
        Field("text", "What", Unit.TEXT),
        Field("usd_per_day", "A day", Unit.USD_PER_DAY),
        Field("team", "Team", Unit.TEXT, variable="team"),
        Field("service", "Service", Unit.TEXT, variable="service"),
        Field("vendor", "Vendor", Unit.TEXT, variable="vendor"),
        Field("model", "Model", Unit.TEXT, variable="model"),
    ),
    empty="No incident went on in this period, or none of its causes is known.",
)

"""What the failed calls of the last hour said."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.reliability.measures import FAILED

PANEL = Panel(
    name="errors-last-hour",
    title="What do failing calls say right now?",
    description=(
        "The failed calls of the last hour, whatever the period, by vendor, model, outcome and the error's code. Codes "
        "are the vendor's own; empty where it gave none."
    ),
    kind=Kind.TABLE,
    place=160,
    width=6,
    height=7,
    sql=f"""
SELECT
    vendor,
    model,
    replaceAll(status, '_', ' ') AS outcome,
    error_code,
    count() AS failed_calls,
    max(time) AS newest_at
FROM @ledger.usage
WHERE time > @now - INTERVAL 1 HOUR AND time <= @now AND @chosen AND {FAILED}
GROUP BY vendor, model, outcome, error_code
ORDER BY failed_calls DESC, vendor, model, outcome, error_code
LIMIT 100
""",
    fields=(
        Field("vendor", "Vendor", Unit.TEXT, variable="vendor"),
        Field("model", "Model", Unit.TEXT, variable="model"),
        Field("outcome", "Outcome", Unit.TEXT),
        Field("error_code", "Code", Unit.TEXT),
        Field("failed_calls", "Failed calls", Unit.CALLS),
        Field("newest_at", "Newest", Unit.TIME),
    ),
    empty="No call has failed in the last hour.",
)

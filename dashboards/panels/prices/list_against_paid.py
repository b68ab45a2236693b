"""What contracts take off the list price."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="list-against-paid",
    title="What do our contracts take off the list price?",
    description=(
        "By vendor and model: the list cost of all calls that have a price, what was paid, and the difference, the "
        "largest first. Below zero more was paid than the public price of that day. Calls under a contract stand "
        "beside it; where no public price covers one, its list cost is what was paid."
    ),
    kind=Kind.TABLE,
    place=40,
    width=7,
    height=8,
    sql="""
SELECT
    vendor,
    model,
    sum(list_cost) AS usd_at_list,
    sum(cost) AS usd,
    usd_at_list - usd AS usd_off,
    if(usd_at_list = 0, NULL, 100 * toFloat64(usd_off) / toFloat64(usd_at_list)) AS off_percent,
    sumIf(calls, price_status = 'contract') AS contract_calls
FROM @usage
WHERE @in_period AND @chosen AND cost IS NOT NULL
GROUP BY vendor, model
ORDER BY abs(usd_off) DESC, usd DESC, vendor, model
LIMIT 50
""",
    fields=(
        Field("vendor", "Vendor", Unit.TEXT, variable="vendor"),
        Field("model", "Model", Unit.TEXT, variable="model"),
        Field("usd_at_list", "At list price", Unit.USD),
        Field("usd", "Paid", Unit.USD),
        Field("usd_off", "Off", Unit.USD),
        Field("off_percent", "Off", Unit.PERCENT),
        Field("contract_calls", "Calls under a contract", Unit.CALLS),
    ),
)

"""Units of panels as Grafana's unit ids.

Ids are those of Grafana's list of units, and its custom forms `suffix:…` and `time:…` where the list has none. A price
per something is money whose title says per what.
"""

from typing import Final, NamedTuple

from dashboards.panels.panel import Field, Unit


class GrafanaUnit(NamedTuple):
    """id: of the unit. decimals: how many are shown; none leaves it to Grafana. title_suffix: put behind a title."""

    id: str
    decimals: int | None = None
    title_suffix: str = ""


UNITS: Final[dict[Unit, GrafanaUnit]] = {
    Unit.TEXT: GrafanaUnit("string"),
    Unit.TIME: GrafanaUnit("dateTimeAsIso"),
    Unit.DAY: GrafanaUnit("time:YYYY-MM-DD"),
    Unit.USD: GrafanaUnit("currencyUSD", 2),
    Unit.USD_PER_DAY: GrafanaUnit("currencyUSD", 2, " a day"),
    Unit.USD_PER_MILLION_TOKENS: GrafanaUnit("currencyUSD", None, " per million tokens"),
    Unit.USD_PER_THOUSAND_CALLS: GrafanaUnit("currencyUSD", None, " per thousand calls"),
    Unit.CALLS: GrafanaUnit("short"),
    Unit.TOKENS: GrafanaUnit("short"),
    Unit.COUNT: GrafanaUnit("short"),
    Unit.TOKENS_PER_SECOND: GrafanaUnit("suffix: tokens/s"),
    Unit.CALLS_PER_SECOND: GrafanaUnit("reqps"),
    Unit.MILLISECONDS: GrafanaUnit("ms"),
    Unit.SECONDS: GrafanaUnit("s"),
    Unit.DAYS: GrafanaUnit("d", 0),
    Unit.PERCENT: GrafanaUnit("percent", 1),
    Unit.RATIO: GrafanaUnit("suffix: x", 2),
    Unit.NUMBER: GrafanaUnit("none"),
}


def title_of(field: Field) -> str:
    """The field's title, with what its unit does not say."""
    suffix = UNITS[field.unit].title_suffix
    return field.title if field.title.lower().endswith(suffix.strip().lower()) else field.title + suffix

"""A `[[price]]` table of a price file, as a row of the price book. The form is told in docs/prices.md."""

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from tokenweir.pricing.components import REQUESTS, TOKEN_COMPONENTS
from tokenweir.pricing.matching import Match, match_from_mapping, match_from_names
from tokenweir.pricing.price import EVERY_MODEL, STANDARD, Price
from tokenweir.pricing.rate_tables import cards_of
from tokenweir.pricing.schedule_tables import schedule_of
from tokenweir.pricing.toml_tables import Table

_NAMING_KEYS: Final = ("id", "vendor", "models", "match", "every_model", "service_tier", "regions")
_TIME_KEYS: Final = ("valid_from", "valid_to", "hours", "recorded_at", "source", "source_at", "confidence")
_PRICE_KEYS: Final = (
    "currency",
    "factor",
    "factor_of",
    "no_price",
    "tiers",
    "units",
    "minimum_charge",
    "includes_tokens",
)
_ROW_KEYS: Final = frozenset((*_NAMING_KEYS, *_TIME_KEYS, *_PRICE_KEYS))
_RATE_KEYS: Final = frozenset(TOKEN_COMPONENTS)
_WITH_RATES: Final = frozenset(("tiers", "units", "currency", "minimum_charge", "includes_tokens"))


def recorded_time(row: Table, file_recorded_at: datetime | None) -> datetime:
    """When the row became known: as it says, else as the file does."""
    recorded_at = row.moment(row.values, "recorded_at") or file_recorded_at
    if recorded_at is None:
        raise row.wrong(
            "recorded_at",
            "when the price became known is not stated",
            "add recorded_at = 2026-11-01 to the row or at the top of the file",
        )
    return recorded_at


def period(row: Table) -> tuple[datetime | None, datetime | None]:
    """`valid_from` and `valid_to`."""
    valid_from, valid_to = row.moment(row.values, "valid_from"), row.moment(row.values, "valid_to")
    if valid_from and valid_to and valid_to <= valid_from:
        raise row.wrong(
            "valid_to", "the price ends before it begins", "valid_to is the first day it no longer holds"
        )
    return valid_from, valid_to


def names_in(row: Table, key: str, example: str) -> tuple[str, ...]:
    """A list of names; empty where there is none."""
    names = row.values.get(key, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise row.wrong(key, f"{key} is a list of names", f'write {key} = ["{example}"]')
    return tuple(names)


def price_row(row: Table, label: str, file_recorded_at: datetime | None) -> Price:
    """The row. label: of the file, begins the price id. Raises WrongCall with the line, the reason and the fix."""
    table = row.values
    row.refuse_unknown(table, _ROW_KEYS | _RATE_KEYS)
    vendor = row.text("vendor")
    match, named = _every_model(row) if "every_model" in table else match_of(row)
    recorded_at = recorded_time(row, file_recorded_at)
    valid_from, valid_to = period(row)
    source_at = table.get("source_at")
    if source_at is not None and (not isinstance(source_at, date) or isinstance(source_at, datetime)):
        raise row.wrong("source_at", f"source_at {source_at!r} is not a date", "write source_at = 2026-11-01")
    regions = names_in(row, "regions", "cn-*")
    tier = row.text("service_tier", STANDARD)
    factor = _factor(row)
    no_price = row.text("no_price", "")
    if no_price and (given := sorted((_RATE_KEYS | _WITH_RATES | {"factor"}) & table.keys())):
        raise row.wrong(
            "no_price", f"a row without a price has no {given[0]}", "keep either no_price or the rates"
        )
    cards = () if factor or no_price else cards_of(row)
    suffix = ("" if tier == STANDARD else f"/{tier}") + (f"@{valid_from:%Y-%m-%d}" if valid_from else "")
    if regions:
        suffix += f"[{','.join(regions)}]"
    if "hours" in table:
        suffix += "#hours"
    return Price(
        price_id=row.text("id", "") or f"{label}:{vendor}/{named}{suffix}",
        vendor=vendor,
        match=match,
        cards=cards,
        currency="" if factor or no_price else row.currency(),
        recorded_at=recorded_at,
        source=row.text("source"),
        source_at=source_at,
        confidence=row.text("confidence", ""),
        service_tier=tier,
        regions=regions,
        valid_from=valid_from,
        valid_to=valid_to,
        schedule=schedule_of(row),
        factor=factor,
        factor_of=_factor_of(row) if factor else frozenset(),
        no_price=no_price,
    )


def _every_model(row: Table) -> tuple[Match, str]:
    """The rule of a row whose units every model of the vendor is charged for."""
    table = row.values
    if table["every_model"] is not True:
        raise row.wrong("every_model", "every_model is true or left out", "write every_model = true")
    others = {
        "models",
        "match",
        "factor",
        "no_price",
        "tiers",
        "minimum_charge",
        "includes_tokens",
    } | _RATE_KEYS
    if given := sorted(others & table.keys()):
        raise row.wrong(
            given[0],
            f"a row for every model has units only, not {given[0]}",
            "give models what they have of their own in a row that names them",
        )
    if not isinstance(table.get("units"), dict) or REQUESTS in table["units"]:
        raise row.wrong(
            "units",
            "a row for every model says what units of use cost, such as searches",
            "write units = { web_searches = { price = 10, per = 1000 } }",
        )
    return Match("equals", EVERY_MODEL), EVERY_MODEL


def match_of(row: Table, key: str = "models") -> tuple[Match, str]:
    """Which models the row is for, and what it is called by: the names under `key`, or the rule under `match`."""
    models, rule = row.values.get(key), row.values.get("match")
    if (models is None) == (rule is None):
        raise row.wrong(key, "the row names no models, or names them twice", f"give either {key} or match")
    if rule is not None:
        try:
            match = match_from_mapping(rule)
        except ValueError as error:
            raise row.wrong("match", str(error), "mend the rule") from error
        return match, str(match)
    if (
        not isinstance(models, list)
        or not models
        or not all(isinstance(name, str) and name for name in models)
    ):
        raise row.wrong(key, f"{key} is a list of names", f'write {key} = ["gpt-4o", "gpt-4o-2024-*"]')
    return match_from_names(tuple(models)), models[0]


def _factor(row: Table) -> tuple[int, int] | None:
    value = row.values.get("factor")
    if value is None:
        return None
    rates = sorted((_RATE_KEYS | _WITH_RATES) & row.values.keys())
    if rates:
        raise row.wrong(
            "factor", f"a row with a factor has no {rates[0]}", "keep either the factor or the rates"
        )
    if row.values.get("service_tier", STANDARD) == STANDARD:
        raise row.wrong(
            "factor", "a factor says what a tier costs beside the standard one", "add service_tier"
        )
    row.picos("factor", value)
    return Decimal(value).as_integer_ratio()


def _factor_of(row: Table) -> frozenset[str]:
    """The components that a factor is for: those named, else all tokens."""
    names = row.values.get("factor_of", sorted(_RATE_KEYS))
    if not isinstance(names, list) or not names or not set(names) <= _RATE_KEYS:
        raise row.wrong(
            "factor_of", f"factor_of {names!r} is not a list of components", 'write ["input", "output"]'
        )
    return frozenset(names)

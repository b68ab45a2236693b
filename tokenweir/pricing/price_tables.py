"""A `[[price]]` table of a price file, as a row of the price book. The form is told in docs/prices.md."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from tokenweir.pricing.components import TOKEN_COMPONENTS, TOKENS_PER_RATE
from tokenweir.pricing.exchange import currency_code
from tokenweir.pricing.matching import Match, match_from_mapping, match_from_names
from tokenweir.pricing.price import STANDARD, Price, Rate, RateCard
from tokenweir.pricing.schedule_tables import schedule_of
from tokenweir.pricing.toml_tables import Table

_NAMING_KEYS: Final = ("id", "vendor", "models", "match", "service_tier", "regions")
_TIME_KEYS: Final = ("valid_from", "valid_to", "hours", "recorded_at", "source", "source_at", "confidence")
_PRICE_KEYS: Final = ("currency", "factor", "factor_of", "no_price", "tiers", "units")
_ROW_KEYS: Final = frozenset((*_NAMING_KEYS, *_TIME_KEYS, *_PRICE_KEYS))
_CONDITIONS: Final = ("input_above", "output_above", "reasoning_above")
_TIER_KEYS: Final = frozenset((*_CONDITIONS, "units"))
_UNIT_KEYS: Final = frozenset(("price", "per", "minimum", "steps"))
_RATE_KEYS: Final = frozenset(TOKEN_COMPONENTS)


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
    match, named = match_of(row)
    recorded_at = recorded_time(row, file_recorded_at)
    valid_from, valid_to = period(row)
    source_at = table.get("source_at")
    if source_at is not None and (not isinstance(source_at, date) or isinstance(source_at, datetime)):
        raise row.wrong("source_at", f"source_at {source_at!r} is not a date", "write source_at = 2026-11-01")
    regions = names_in(row, "regions", "cn-*")
    tier = row.text("service_tier", STANDARD)
    factor = _factor(row)
    no_price = row.text("no_price", "")
    if no_price and (given := sorted((_RATE_KEYS | {"tiers", "units", "factor", "currency"}) & table.keys())):
        raise row.wrong(
            "no_price", f"a row without a price has no {given[0]}", "keep either no_price or the rates"
        )
    cards = () if factor or no_price else _cards(row)
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
        currency=""
        if factor or no_price
        else currency_code(row.text("currency"), f"{row.file}, row {row.number}"),
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
    rates = sorted((_RATE_KEYS | {"tiers", "units", "currency"}) & row.values.keys())
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


def _cards(row: Table) -> tuple[RateCard, ...]:
    base = _rates(row, row.values)
    if not base:
        raise row.wrong(
            "input", "the row states no price", "add input, output or units; a free model states 0"
        )
    tiers = row.values.get("tiers", [])
    if not isinstance(tiers, list) or not all(isinstance(tier, dict) for tier in tiers):
        raise row.wrong("tiers", "tiers is a list of tables", "begin each with a line [[price.tiers]]")
    cards = [RateCard(tuple(base.items()))]
    for tier in tiers:
        row.refuse_unknown(tier, _TIER_KEYS | _RATE_KEYS)
        if not any(key in tier for key in _CONDITIONS):
            raise row.wrong("tiers", "a tier does not say above what it holds", "add input_above = 200000")
        inputs, outputs, reasoning = (
            row.whole(key, tier[key], 0) if key in tier else -1 for key in _CONDITIONS
        )
        rates = {**base, **_rates(row, tier)}
        card = RateCard(tuple(rates.items()), inputs, outputs, reasoning)
        if card[1:] <= cards[-1][1:]:
            raise row.wrong(
                "tiers", "the tiers do not ascend", "order them by " + ", then ".join(_CONDITIONS)
            )
        cards.append(card)
    return tuple(cards)


def _rates(row: Table, table: Mapping[str, Any]) -> dict[str, Rate]:
    rates = {
        name: Rate(row.picos(name, value), TOKENS_PER_RATE)
        for name, value in table.items()
        if name in _RATE_KEYS
    }
    units = table.get("units", {})
    if not isinstance(units, dict):
        raise row.wrong(
            "units", "units is a table", "write units = { web_searches = { price = 10, per = 1000 } }"
        )
    for name, entry in units.items():
        entry = entry if isinstance(entry, dict) else {"price": entry}
        row.refuse_unknown(entry, _UNIT_KEYS)
        if name in TOKEN_COMPONENTS:
            raise row.wrong(name, f"{name} counts tokens", "state it beside input and output")
        per = row.whole("per", entry.get("per", 1), 1)
        steps = tuple(
            (row.whole("above", step.get("above"), 0), row.picos("price", step.get("price")))
            for step in entry.get("steps", ())
        )
        rates[name] = Rate(
            row.picos("price", entry.get("price")),
            per,
            row.whole("minimum", entry.get("minimum", 0), 0),
            steps,
        )
    return rates

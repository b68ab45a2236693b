"""Price rows and exchange rates kept by hand in TOML: the project's own data and a company's overlay file.

The form is told in docs/prices.md. A file with a mistake is refused as a whole, with the line, the reason and the fix:
a price that is read wrongly is worse than one that is missing.
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from tokenweir.errors import WrongCall
from tokenweir.pricing.components import TOKEN_COMPONENTS, TOKENS_PER_RATE
from tokenweir.pricing.exchange import ExchangeRate, currency_code, rate_picos, refuse_overlaps
from tokenweir.pricing.matching import Match, match_from_mapping, match_from_names
from tokenweir.pricing.price import END, STANDARD, Price, Rate, RateCard, Schedule
from tokenweir.pricing.sources import RowSource
from tokenweir.pricing.toml_tables import Table, tables_of, top_table

_FILE_KEYS: Final = frozenset(("name", "recorded_at", "price", "exchange_rate"))
_NAMING_KEYS: Final = ("id", "vendor", "models", "match", "service_tier", "regions")
_TIME_KEYS: Final = ("valid_from", "valid_to", "hours", "recorded_at", "source", "source_at", "confidence")
_PRICE_KEYS: Final = ("currency", "factor", "factor_of", "no_price", "tiers", "units")
_ROW_KEYS: Final = frozenset((*_NAMING_KEYS, *_TIME_KEYS, *_PRICE_KEYS))
_CONDITIONS: Final = ("input_above", "output_above", "reasoning_above")
_TIER_KEYS: Final = frozenset((*_CONDITIONS, "units"))
_HOURS_KEYS: Final = frozenset(("utc_offset_minutes", "windows", "weekdays", "except_days"))
_UNIT_KEYS: Final = frozenset(("price", "per", "minimum", "steps"))
_RATE_KEYS: Final = frozenset(TOKEN_COMPONENTS)
_CLOCK: Final = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


class Overlay(RowSource):
    """The rows of one file, and its exchange rates."""

    def __init__(self, rows: list[Price], exchange_rates: list[ExchangeRate]) -> None:
        super().__init__(rows)
        self.exchange_rates = exchange_rates


def own_overlay() -> Overlay:
    """The project's own data files, all of `tokenweir/pricing/data/*.toml`, in the order of their names."""
    rows: list[Price] = []
    rates: list[ExchangeRate] = []
    folder = files("tokenweir.pricing").joinpath("data")
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            overlay = read_overlay(entry.read_text(encoding="utf-8"), entry.name)
            rows.extend(overlay.rows())
            rates.extend(overlay.exchange_rates)
    return Overlay(rows, rates)


def read_overlay_file(path: Path) -> Overlay:
    """A company's overlay. Raises WrongCall with the line, the reason and the fix."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise WrongCall(f"{path} cannot be read: {error.strerror}", hint="Check the path") from error
    except UnicodeDecodeError as error:
        raise WrongCall(f"{path} is not UTF-8: {error}", hint="Save it as UTF-8") from error
    return read_overlay(text, path.name)


def read_overlay(text: str, name: str) -> Overlay:
    """Rows and rates from TOML. Raises WrongCall as above; name: of the file, for the message."""
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise WrongCall(f"{name}: {error}", hint="Mend the TOML at that place") from error
    top = top_table(text, document, name)
    top.refuse_unknown(document, _FILE_KEYS)
    recorded_at = top.moment(document, "recorded_at")
    label = document.get("name", Path(name).stem)
    if not isinstance(label, str):
        raise top.wrong("name", "the name of the file's prices is a text", 'write name = "acme"')
    rows = [(_price(row, label, recorded_at), row) for row in tables_of(text, document, "price", name)]
    rates = [_exchange_rate(row, recorded_at) for row in tables_of(text, document, "exchange_rate", name)]
    _refuse_conflicts(rows)
    refuse_overlaps(rates, name)
    return Overlay([price for price, _ in rows], rates)


def _price(row: Table, label: str, file_recorded_at: datetime | None) -> Price:
    table = row.values
    row.refuse_unknown(table, _ROW_KEYS | _RATE_KEYS)
    vendor = row.text("vendor")
    match, named = _match(row)
    recorded_at = row.moment(table, "recorded_at") or file_recorded_at
    if recorded_at is None:
        raise row.wrong(
            "recorded_at",
            "when the price became known is not stated",
            "add recorded_at = 2026-11-01 to the row or at the top of the file",
        )
    valid_from, valid_to = row.moment(table, "valid_from"), row.moment(table, "valid_to")
    if valid_from and valid_to and valid_to <= valid_from:
        raise row.wrong(
            "valid_to", "the price ends before it begins", "valid_to is the first day it no longer holds"
        )
    source_at = table.get("source_at")
    if source_at is not None and (not isinstance(source_at, date) or isinstance(source_at, datetime)):
        raise row.wrong("source_at", f"source_at {source_at!r} is not a date", "write source_at = 2026-11-01")
    regions = table.get("regions", [])
    if not isinstance(regions, list) or not all(isinstance(region, str) for region in regions):
        raise row.wrong("regions", "regions is a list of names", 'write regions = ["cn-*"]')
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
        regions=tuple(regions),
        valid_from=valid_from,
        valid_to=valid_to,
        schedule=_schedule(row),
        factor=factor,
        factor_of=_factor_of(row) if factor else frozenset(),
        no_price=no_price,
    )


def _match(row: Table) -> tuple[Match, str]:
    models, rule = row.values.get("models"), row.values.get("match")
    if (models is None) == (rule is None):
        raise row.wrong(
            "models", "the row names no models, or names them twice", "give either models or match"
        )
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
        raise row.wrong("models", "models is a list of names", 'write models = ["gpt-4o", "gpt-4o-2024-*"]')
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
        above = {key: row.whole(key, tier[key], 0) for key in _CONDITIONS if key in tier}
        if not above:
            raise row.wrong("tiers", "a tier does not say above what it holds", "add input_above = 200000")
        rates = {**base, **_rates(row, tier)}
        card = RateCard(tuple(rates.items()), **above)
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


def _schedule(row: Table) -> Schedule | None:
    hours = row.values.get("hours")
    if hours is None:
        return None
    if not isinstance(hours, dict):
        raise row.wrong(
            "hours", "hours is a table", 'write hours = { windows = ["16:30-24:00", "00:00-00:30"] }'
        )
    row.refuse_unknown(hours, _HOURS_KEYS)
    windows = []
    for window in hours.get("windows", ()):
        found = _CLOCK.fullmatch(window) if isinstance(window, str) else None
        if found is None:
            raise row.wrong(
                "windows", f"window {window!r} is not hours of a day", 'write it as "16:30-24:00"'
            )
        start_hour, start_minute, end_hour, end_minute = map(int, found.groups())
        start, end = start_hour * 3600 + start_minute * 60, end_hour * 3600 + end_minute * 60
        if not start < end <= 86_400:
            raise row.wrong(
                "windows", f"window {window} ends before it begins", "split it at midnight, 24:00"
            )
        windows.append((start, end))
    weekdays = tuple(row.whole("weekdays", day, 0) for day in hours.get("weekdays", ()))
    if any(day > 6 for day in weekdays):
        raise row.wrong("weekdays", "weekdays are 0 (Monday) to 6 (Sunday)", "write weekdays = [5, 6]")
    days = hours.get("except_days", ())
    if not all(isinstance(day, date) and not isinstance(day, datetime) for day in days):
        raise row.wrong("except_days", "except_days is a list of dates", "write except_days = [2026-10-01]")
    offset = hours.get("utc_offset_minutes", 0)
    if isinstance(offset, bool) or not isinstance(offset, int) or abs(offset) > 14 * 60:
        raise row.wrong("utc_offset_minutes", "utc_offset_minutes is not an offset", "write 480 for Beijing")
    return Schedule(offset, tuple(sorted(windows)), weekdays, frozenset(days))


def _exchange_rate(row: Table, file_recorded_at: datetime | None) -> ExchangeRate:
    row.refuse_unknown(
        row.values, frozenset(("currency", "usd_per_unit", "valid_from", "valid_to", "recorded_at", "source"))
    )
    where = f"{row.file}, exchange_rate {row.number}"
    starts_at = row.moment(row.values, "valid_from")
    recorded_at = row.moment(row.values, "recorded_at") or file_recorded_at
    if starts_at is None or recorded_at is None:
        missing = "valid_from" if starts_at is None else "recorded_at"
        raise row.wrong(missing, f"{missing} is missing", f"add {missing} = 2026-11-01")
    ends_at = row.moment(row.values, "valid_to") or END
    if ends_at <= starts_at:
        raise row.wrong(
            "valid_to", "the rate ends before it begins", "valid_to is the first day it no longer holds"
        )
    return ExchangeRate(
        currency_code(row.text("currency"), where),
        starts_at,
        ends_at,
        rate_picos(row.values.get("usd_per_unit", ""), where),
        recorded_at,
        row.text("source"),
    )


def _refuse_conflicts(rows: list[tuple[Price, Table]]) -> None:
    """Refuse two rows for the same name that hold at the same time, or that disagree about the currency."""
    seen: dict[tuple[object, ...], list[tuple[Price, Table]]] = {}
    for price, row in rows:
        names = price.match.rules if price.match.operation == "or" else (price.match,)
        for name in names:
            key = (price.vendor, str(name).lower(), price.service_tier, price.regions)
            for other, other_row in seen.setdefault(key, []):
                if price.currency != other.currency and price.currency and other.currency:
                    raise row.wrong(
                        "currency",
                        f"priced in {price.currency}, but in {other.currency} in row {other_row.number}",
                        "price a model in one currency; a price for another region names its regions",
                    )
                same_hours = price.schedule == other.schedule and price.recorded_at == other.recorded_at
                if same_hours and price.starts_at < other.ends_at and other.starts_at < price.ends_at:
                    raise row.wrong(
                        "valid_from",
                        f"overlaps row {other_row.number}, from "
                        f"{max(price.starts_at, other.starts_at):%Y-%m-%d} on",
                        "end the earlier price where the later begins (valid_to), or give a correction a later "
                        "recorded_at",
                    )
            seen[key].append((price, row))

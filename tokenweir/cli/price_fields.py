"""Prices as a person and a program are shown them: cells of a table, and plain fields with decimal strings."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Context, Decimal
from typing import Any, Final

from tokenweir.cli.output import print_rows
from tokenweir.money import PICOS_PER_UNIT, decimal_from_picos, decimal_string, divide_half_even
from tokenweir.pricing.components import TOKEN_COMPONENTS
from tokenweir.pricing.describe import calls_meant, rate_fields, usual_rate
from tokenweir.pricing.history import changes, rates_by_name
from tokenweir.pricing.listing import Variant
from tokenweir.pricing.price import BEGINNING, END, Price, Rate, RateCard
from tokenweir.pricing.schedule import DAY_SECONDS, Schedule

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SECONDS: Final = 3600
_ROUGHLY: Final = Context(prec=4)


def price_fields(price: Price) -> dict[str, Any]:
    """Everything that a row says, for a program."""
    return {
        "price_id": price.price_id,
        "vendor": price.vendor,
        "models": str(price.match),
        "service_tier": price.service_tier,
        "regions": list(price.regions),
        "hours": hours_fields(price.schedule),
        "valid_from": price.valid_from,
        "valid_to": price.valid_to,
        "recorded_at": price.recorded_at,
        "currency": price.currency or None,
        "rates": [card_fields(card, None) for card in price.cards],
        "factor": _factor(price),
        "no_price": price.no_price or None,
        "source": price.source,
        "source_at": price.source_at.isoformat() if price.source_at else None,
        "confidence": price.confidence or None,
    }


def variant_fields(variant: Variant) -> dict[str, Any]:
    """A variant for a program: the price that is billed, the public one beside it, in its currency and in USD."""
    found, rate = variant.found, variant.fx_rate_picos
    fields: dict[str, Any] = {
        "vendor": variant.vendor,
        "model": variant.model,
        "service_tier": variant.service_tier,
        "region": variant.region,
        "at": variant.at,
        "holds": variant.holds,
        "price_status": variant.status,
        "unpriced_reason": found.reason or None,
    }
    if found.price is None:
        return fields
    price = {
        key: value
        for key, value in price_fields(found.price).items()
        if key not in ("vendor", "factor", "no_price")
    }
    price["rates"] = [card_fields(card, rate) for card in found.price.cards]
    listed = found.listed
    return (
        fields
        | price
        | {
            "fx_rate": None if rate is None else decimal_string(rate),
            "list_price_id": listed.price_id if listed is not None else None,
            "change_from_list_percent": dict(changes(listed, found.price)),
            "list_rates": [card_fields(card, None) for card in listed.cards] if listed is not None else None,
        }
    )


def card_fields(card: RateCard, fx_rate_picos: int | None) -> dict[str, Any]:
    """A rate card, with the calls that it is for; `usd` beside each price where there is an exchange rate."""
    fields = calls_meant(card)
    if card.minimum_picos:
        fields["minimum_charge"] = decimal_string(card.minimum_picos)
    for name, rate in card.rates:
        fields[name] = rate_fields(name, rate)
        if fx_rate_picos is not None:
            fields[name]["usd"] = decimal_string(in_usd(usual_rate(name, rate)[0], fx_rate_picos))
    return fields


def in_usd(picos: int, fx_rate_picos: int) -> int:
    """Picos of USD for picos of a currency."""
    return divide_half_even(picos * fx_rate_picos, PICOS_PER_UNIT)


def hours_fields(schedule: Schedule | None) -> dict[str, Any] | None:
    """A schedule in the form in which a price file states it."""
    if schedule is None:
        return None
    return {
        "zone": schedule.zone or None,
        "utc_offset_minutes": None if schedule.zone else schedule.utc_offset_minutes,
        "windows": [f"{_clock(start)}-{_clock(end)}" for start, end in schedule.windows],
        "weekdays": list(schedule.weekdays),
        "workdays": schedule.workdays or None,
        "except_holidays": schedule.except_holidays or None,
        "except_days": [day.isoformat() for day in sorted(schedule.except_days)],
        "also_days": [day.isoformat() for day in sorted(schedule.also_days)],
    }


def hours_text(schedule: Schedule | None) -> str:
    """A schedule in a cell of a table; empty for any hour."""
    if schedule is None:
        return ""
    windows = " ".join(f"{_clock(start)}-{_clock(end)}" for start, end in schedule.windows)
    days = " ".join(_DAYS[day] for day in schedule.weekdays)
    hours, minutes = divmod(abs(schedule.utc_offset_minutes), 60)
    sign = "-" if schedule.utc_offset_minutes < 0 else "+"
    offset = f"UTC{sign}{hours}" + (f":{minutes:02d}" if minutes else "") if hours or minutes else "UTC"
    workdays = f"working days in {schedule.workdays}" if schedule.workdays else ""
    holidays = f"not on holidays in {schedule.except_holidays}" if schedule.except_holidays else ""
    place = schedule.zone or offset
    return " ".join(part for part in (windows, place, days, workdays, holidays) if part)


def rate_columns(prices: Iterable[Price]) -> list[str]:
    """The columns for the components that any of the prices has, in the order in which they are usually read."""
    names = {name for price in prices for card in price.cards for name, _ in card.rates}
    tokens = [name for name in TOKEN_COMPONENTS if name in names]
    return [*tokens, *sorted(names - set(tokens))]


def rate_cells(card: RateCard, fx_rate_picos: int | None = None) -> dict[str, str]:
    """A card's prices by component: per million tokens, else with what they are for; USD in brackets behind others."""
    cells = {}
    for name, rate in card.rates:
        picos, per = usual_rate(name, rate)
        text = decimal_string(picos)
        if fx_rate_picos not in (None, PICOS_PER_UNIT):
            usd = decimal_from_picos(in_usd(picos, fx_rate_picos or 0))
            text += f" (${usd.normalize(_ROUGHLY):f})"
        if name not in TOKEN_COMPONENTS:
            text += f" per {per:,}" if per != 1 else " each"
        cells[name] = text
    return cells


def above_text(card: RateCard) -> str:
    """For which calls a card is; empty for any."""
    words = []
    for name, bound in zip(("input", "output", "reasoning"), card.conditions, strict=True):
        if bound > 0 or (bound == 0 and name != "reasoning"):
            words.append(f"{name} > {bound:,}")
        elif bound == 0:
            words.append("thinking")
    if card.with_unit:
        words.append(f"with {card.with_unit}")
    words += [f"{name} {' or '.join(values)}" for name, values in card.with_tags]
    if card.minimum_picos:
        words.append(f"at least {decimal_string(card.minimum_picos)} a call")
    return ", ".join(words)


def day_text(moment: datetime | None) -> str | None:
    """A moment in a cell: the day where it is midnight; None where it is an end of time."""
    if moment is None or moment in (BEGINNING, END):
        return None
    return f"{moment:%Y-%m-%d}" if moment.time() == datetime.min.time() else f"{moment:%Y-%m-%d %H:%M}"


def percent_text(change: Mapping[str, Decimal]) -> str:
    """Changes by component; one figure where all change alike."""
    if len(set(change.values())) == 1 and len(change) > 1:
        return f"all {next(iter(change.values())):+}%"
    return ", ".join(f"{name} {value:+}%" for name, value in change.items())


def moved_text(before: Price | None, after: Price | None) -> str:
    """What a price was and is, rate by rate: `input 2.5 -> 2.25 (-10.00%)`; what stays is left out."""
    if before is None or after is None or before.currency != after.currency:
        was = f"was {_told(before)}" if before is not None else ""
        return ", now ".join(part for part in (was, _told(after) if after is not None else "") if part)
    ours, theirs, moved = rates_by_name(before), rates_by_name(after), changes(before, after)
    words = []
    for name in dict.fromkeys((*ours, *theirs)):
        old, new = ours.get(name), theirs.get(name)
        if old == new:
            continue
        by = f" ({moved[name]:+}%)" if name in moved else ""
        words.append(f"{name} {_amount(name, old)} -> {_amount(name, new)}{by}")
    return ("" if after.currency == "USD" else f"{after.currency} ") + (", ".join(words) or "other terms")


def _told(price: Price) -> str:
    if price.no_price:
        return f"no price: {price.no_price}"
    rates = ", ".join(f"{name} {_amount(name, rate)}" for name, rate in rates_by_name(price).items())
    return rates if price.currency == "USD" else f"{price.currency} {rates}"


def _amount(name: str, rate: Rate | None) -> str:
    if rate is None:
        return "none"
    picos, per = usual_rate(name.partition(" (")[0], rate)
    if name.partition(" (")[0] in TOKEN_COMPONENTS:
        return decimal_string(picos)
    return f"{decimal_string(picos)} per {per:,}" if per != 1 else f"{decimal_string(picos)} each"


def print_used(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, empty: str) -> None:
    """A table with those of the columns in which any row has something; what a row has not is left empty."""
    used = [name for name in columns if any(row.get(name) for row in rows)]
    filled = [{name: row.get(name) or "" for name in used} for row in rows]
    print_rows(filled, used, "table", empty=empty)


def _clock(seconds: int) -> str:
    """As a clock shows it, of the next day where it is past midnight; 24:00 for the end of the day itself."""
    seconds -= DAY_SECONDS if seconds > DAY_SECONDS else 0
    return f"{seconds // _SECONDS:02d}:{seconds % _SECONDS // 60:02d}"


def _factor(price: Price) -> dict[str, Any] | None:
    if price.factor is None:
        return None
    numerator, denominator = price.factor
    return {
        "factor": format(Decimal(numerator) / Decimal(denominator), "f"),
        "of": sorted(price.factor_of),
    }

"""Price rows and exchange rates written in the form that docs/prices.md tells, so that reading gives them back.

What is written can be read by a person, reviewed, and kept beside other files. Limits: a company's GPU hours, discounts
and aliases have no place here, nor has a daily window that begins within a minute.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from tokenweir.errors import WrongCall
from tokenweir.money import decimal_string
from tokenweir.pricing.components import TOKEN_COMPONENTS
from tokenweir.pricing.exchange import ExchangeRate
from tokenweir.pricing.matching import Match, rules_of
from tokenweir.pricing.price import EVERY_MODEL, STANDARD, Price, Rate, RateCard, tokens_included
from tokenweir.pricing.schedule import DAY_SECONDS, Schedule

NO_RATES: Final = "the source lists no rate"
_CONDITIONS: Final = ("input_above", "output_above", "reasoning_above")


def price_file(
    name: str,
    recorded_at: datetime,
    rows: Iterable[Price],
    rates: Iterable[ExchangeRate] = (),
    header: Mapping[str, str] | None = None,
) -> str:
    """A file of public prices. header: further texts at its top.

    Every row is known since `recorded_at`, whatever it says itself. Raises WrongCall for a row that has no such form.
    """
    top = {"name": name, **(header or {})}
    lines = [
        *(f"{key} = {_text(value)}" for key, value in top.items()),
        f"recorded_at = {_moment(recorded_at)}",
    ]
    for row in rows:
        lines += ["", "[[price]]", *_price_lines(row)]
    for rate in rates:
        lines += [
            "",
            "[[exchange_rate]]",
            f"currency = {_text(rate.currency)}",
            f"usd_per_unit = {decimal_string(rate.picos)}",
            f"valid_from = {_moment(rate.valid_from)}",
            f"valid_to = {_moment(rate.valid_to)}",
            f"source = {_text(rate.source)}",
        ]
    return "\n".join(lines) + "\n"


def _price_lines(row: Price) -> list[str]:
    which = "every_model = true" if row.match.text == EVERY_MODEL else _match_line(row.match)
    lines = [f"id = {_text(row.price_id)}", f"vendor = {_text(row.vendor)}", which]
    if row.service_tier != STANDARD:
        lines.append(f"service_tier = {_text(row.service_tier)}")
    if row.regions:
        lines.append(f"regions = {_texts(row.regions)}")
    if row.valid_from is not None:
        lines.append(f"valid_from = {_moment(row.valid_from)}")
    if row.valid_to is not None:
        lines.append(f"valid_to = {_moment(row.valid_to)}")
    if row.schedule is not None:
        lines.append(f"hours = {_hours(row)}")
    lines.append(f"source = {_text(row.source)}")
    if row.source_at is not None:
        lines.append(f"source_at = {row.source_at.isoformat()}")
    if row.confidence:
        lines.append(f"confidence = {_text(row.confidence)}")
    if row.no_price or not row.has_rates:
        return [*lines, f"no_price = {_text(row.no_price or NO_RATES)}"]
    if row.factor is not None:
        numerator, denominator = row.factor
        lines.append(f"factor = {format(Decimal(numerator) / Decimal(denominator), 'f')}")
        return [*lines, f"factor_of = {_texts(sorted(row.factor_of))}"]
    lines.append(f"currency = {_text(row.currency)}")
    first, *others = row.cards
    if first.minimum_picos:
        lines.append(f"minimum_charge = {decimal_string(first.minimum_picos)}")
    lines += _rate_lines(row, first)
    if row.cards == tokens_included(first):
        return [*lines, "includes_tokens = true"] if others else lines
    for card in others:
        above = zip(_CONDITIONS, card.conditions, strict=True)
        lines += ["", "[[price.tiers]]", *(f"{key} = {bound}" for key, bound in above if bound >= 0)]
        if card.with_tags:
            tags = ", ".join(f"{_key(name)} = {_texts(values)}" for name, values in card.with_tags)
            lines.append(f"tags = {{ {tags} }}")
        lines += _rate_lines(row, card)
    return lines


def _rate_lines(row: Price, card: RateCard) -> list[str]:
    tokens = [f"{name} = {_tokens(rate)}" for name, rate in card.rates if name in TOKEN_COMPONENTS]
    units = [f"{_key(name)} = {_unit(rate)}" for name, rate in card.rates if name not in TOKEN_COMPONENTS]
    if card.with_unit:
        raise WrongCall(
            f"{row.price_id} is by GPU hours and cannot be written as a public price",
            hint="Keep it in the company's own file",
        )
    return tokens + ([f"units = {{ {', '.join(units)} }}"] if units else [])


def _unit(rate: Rate) -> str:
    parts = [f"price = {decimal_string(rate.picos)}", f"per = {rate.per}"]
    if rate.minimum:
        parts.append(f"minimum = {rate.minimum}")
    if rate.block > 1:
        parts.append(f"round_up_to = {rate.block}")
    if rate.steps:
        parts.append(_steps(rate))
    return f"{{ {', '.join(parts)} }}"


def _tokens(rate: Rate) -> str:
    price = decimal_string(rate.picos)
    return f"{{ price = {price}, {_steps(rate)} }}" if rate.steps else price


def _steps(rate: Rate) -> str:
    steps = ", ".join(
        f"{{ above = {above}, price = {decimal_string(picos)} }}" for above, picos in rate.steps
    )
    return f"steps = [{steps}]"


def _match_line(match: Match) -> str:
    names = [_plain_name(rule) for rule in rules_of(match)]
    if all(names):
        return f"models = {_texts(names)}"
    return f"match = {_rule(match)}"


def _plain_name(rule: Match) -> str:
    """How a list of names says it; empty where none can."""
    if rule.text.endswith("*"):
        return ""
    return {"equals": rule.text, "starts_with": f"{rule.text}*"}.get(rule.operation, "")


def _rule(match: Match) -> str:
    if match.operation == "not":
        return f"{{ not = {_rule(match.rules[0])} }}"
    if match.rules:
        return f"{{ {match.operation} = [{', '.join(map(_rule, match.rules))}] }}"
    return f"{{ {match.operation} = {_text(match.text)} }}"


def _hours(row: Price) -> str:
    schedule = row.schedule or Schedule()
    parts = (
        [f"zone = {_text(schedule.zone)}"]
        if schedule.zone
        else [f"utc_offset_minutes = {schedule.utc_offset_minutes}"]
    )
    if any(second % 60 for window in schedule.windows for second in window):
        raise WrongCall(
            f"{row.price_id} has hours that begin within a minute", hint="State them in whole minutes"
        )
    if schedule.windows:
        windows = [f"{_clock(start)}-{_clock(end)}" for start, end in schedule.windows]
        parts.append(f"windows = {_texts(windows)}")
    if schedule.weekdays:
        parts.append(f"weekdays = [{', '.join(map(str, schedule.weekdays))}]")
    for key, days in (("except_days", schedule.except_days), ("also_days", schedule.also_days)):
        if days:
            parts.append(f"{key} = [{', '.join(day.isoformat() for day in sorted(days))}]")
    for key, country in (
        ("except_holidays", schedule.except_holidays),
        ("workdays", schedule.workdays),
    ):
        if country:
            parts.append(f"{key} = {_text(country)}")
    return f"{{ {', '.join(parts)} }}"


def _clock(seconds: int) -> str:
    """As a clock shows it, of the next day where it is past midnight; 24:00 for the end of the day itself."""
    seconds -= DAY_SECONDS if seconds > DAY_SECONDS else 0
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"


def _moment(moment: datetime) -> str:
    """A date where it is midnight in UTC, else the time."""
    moment = moment.astimezone(UTC)
    if moment == datetime.combine(moment.date(), datetime.min.time(), UTC):
        return moment.date().isoformat()
    return moment.isoformat().replace("+00:00", "Z")


def _text(value: str) -> str:
    # TOML's basic strings are JSON's, except that TOML wants DEL escaped, too.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _texts(values: Iterable[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else _text(name)

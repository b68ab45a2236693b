"""A price row as plain lists of integers and text, as it stands in the compiled book, and back.

What is read equals what was written, field by field. Moments are written in UTC. No number has a fraction: one that has
is refused, by what writes and by what reads.
"""

import json
from datetime import UTC, date, datetime
from typing import Any, Final

from tokenweir.pricing.matching import Match
from tokenweir.pricing.price import Price, Rate, RateCard
from tokenweir.pricing.schedule import Schedule

_SETS_OF_DAYS: Final = ("except_days", "also_days")


def written(value: Any) -> bytes:
    """JSON of lists, texts and integers, on one line. Raises TypeError for a float."""
    _refuse_floats(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def read(line: bytes) -> Any:
    """The value of a line. Raises ValueError for what is no JSON or holds a number that is not whole."""
    return json.loads(line, parse_float=_no_fraction, parse_constant=_no_fraction)


def listed_match(match: Match) -> list[Any]:
    """A rule."""
    return [match.operation, [listed_match(rule) for rule in match.rules] if match.rules else match.text]


def match_of(listed: list[Any]) -> Match:
    """The rule that `listed_match` wrote."""
    operation, value = listed
    if isinstance(value, list):
        return Match(operation, rules=tuple(match_of(rule) for rule in value))
    return Match(operation, value)


def listed_price(price: Price) -> list[Any]:
    """A row without its vendor and its rule, which stand once over the rows that share them."""
    return [
        price.price_id,
        [
            [
                [[name, *rate] for name, rate in card.rates],
                *card[1:],
            ]
            for card in price.cards
        ],
        price.currency,
        _text(price.recorded_at),
        price.source,
        price.source_at and price.source_at.isoformat(),
        price.confidence,
        price.service_tier,
        list(price.regions),
        _text(price.valid_from),
        _text(price.valid_to),
        price.schedule and _listed_schedule(price.schedule),
        price.factor and list(price.factor),
        sorted(price.factor_of),
        price.no_price,
    ]


def price_of(vendor: str, match: Match, listed: list[Any]) -> Price:
    """The row that `listed_price` wrote."""
    (
        price_id,
        cards,
        currency,
        recorded_at,
        source,
        source_at,
        confidence,
        service_tier,
        regions,
        valid_from,
        valid_to,
        schedule,
        factor,
        factor_of,
        no_price,
    ) = listed
    return Price(
        price_id,
        vendor,
        match,
        tuple(_card_of(*card) for card in cards),
        currency,
        datetime.fromisoformat(recorded_at),
        source,
        source_at and date.fromisoformat(source_at),
        confidence,
        service_tier,
        tuple(regions),
        valid_from and datetime.fromisoformat(valid_from),
        valid_to and datetime.fromisoformat(valid_to),
        schedule and _schedule_of(schedule),
        factor and tuple(factor),
        frozenset(factor_of),
        no_price,
    )


def _card_of(
    rates: list[Any],
    input_above: int,
    output_above: int,
    reasoning_above: int,
    with_unit: str,
    with_tags: list[Any],
    minimum_picos: int,
) -> RateCard:
    return RateCard(
        tuple(
            (name, Rate(picos, per, minimum, tuple((above, step) for above, step in steps), block))
            for name, picos, per, minimum, steps, block in rates
        ),
        input_above,
        output_above,
        reasoning_above,
        with_unit,
        tuple((name, tuple(values)) for name, values in with_tags),
        minimum_picos,
    )


def _listed_schedule(schedule: Schedule) -> list[Any]:
    days = {name: sorted(day.isoformat() for day in getattr(schedule, name)) for name in _SETS_OF_DAYS}
    return [*(schedule._asdict() | days).values()]


def _schedule_of(listed: list[Any]) -> Schedule:
    named = dict(zip(Schedule._fields, listed, strict=True))
    days = {name: frozenset(map(date.fromisoformat, named[name])) for name in _SETS_OF_DAYS}
    windows = tuple((start, end) for start, end in named["windows"])
    return Schedule(**named | days | {"windows": windows, "weekdays": tuple(named["weekdays"])})


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a float; a compiled book holds integers and text")
    for each in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    ):
        _refuse_floats(each)


def _no_fraction(text: str) -> int:
    raise ValueError(f"the number {text} is not whole; a compiled book holds integers and text")

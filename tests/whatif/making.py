"""A small price book, candidates with known limits, and calls as the ledger's pages hold them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from tokenweir.catalog import Found, Model
from tokenweir.money import decimal_from_picos, picos_from_decimal
from tokenweir.pricing import PriceBook
from tokenweir.pricing.contracts import Contracts, Discount
from tokenweir.pricing.exchange import ExchangeRate, ExchangeRates
from tokenweir.pricing.matching import Match
from tokenweir.pricing.price import BEGINNING, END, Price, Rate, RateCard, Schedule
from tokenweir.pricing.sources import RowSource
from tokenweir.usage import UsageEvent
from tokenweir.whatif import COLUMNS, Answer, Candidate, Choice, Period, WhatIf

WORKLOAD: Final = ("tenant", "team")
DAY: Final = datetime(2026, 11, 2, tzinfo=UTC)
"""A Monday."""

CUT: Final = datetime(2026, 11, 16, tzinfo=UTC)
"""When `old` became half as dear."""

NOW: Final = datetime(2026, 11, 26, 12, tzinfo=UTC)
NIGHT: Final = Schedule(windows=((0, 6 * 3600),))


def rates(**prices: str) -> tuple[tuple[str, Rate], ...]:
    return tuple(
        (name, Rate(picos_from_decimal(Decimal(price)), 1_000_000)) for name, price in prices.items()
    )


def row(model: str, vendor: str = "b", **fields: Any) -> Price:
    prices = fields.pop("rates", {"input": "1", "output": "2"})
    defaults: dict[str, Any] = {
        "price_id": f"{vendor}:{model}:{len(fields)}",
        "vendor": vendor,
        "match": Match("equals", model),
        "cards": (RateCard(rates(**prices)),),
        "currency": "USD",
        "recorded_at": BEGINNING,
        "source": "test",
    }
    return Price(**(defaults | fields))


_LONG: Final = (
    RateCard(rates(input="1", output="10", cache_read="0.1")),
    RateCard(rates(input="2", output="15", cache_read="0.2"), input_above=200_000),
)

ROWS: Final = (
    row("old", "a", rates={"input": "4", "output": "20", "cache_read": "1"}, valid_to=CUT),
    row("old", "a", rates={"input": "2", "output": "10", "cache_read": "0.5"}, valid_from=CUT),
    row("old", "a", service_tier="batch", factor=(1, 2), factor_of=frozenset(("input", "output"))),
    row("gone", "a", valid_to=CUT),
    row("cheap", rates={"input": "0.25", "output": "2", "cache_read": "0.025"}),
    row("no-cache", rates={"input": "0.5", "output": "1.5"}),
    row("tiered", cards=_LONG),
    row("yuan", currency="CNY", rates={"input": "10", "output": "20"}),
    row("foreign", currency="XXX"),
    row("nightly", rates={"input": "1", "output": "2"}),
    row("nightly", rates={"input": "0.5", "output": "1"}, schedule=NIGHT),
    row("regional", regions=("eu-*",)),
    row(
        "by-tag",
        cards=(
            RateCard(rates(input="1", output="2")),
            RateCard(rates(input="3", output="4"), with_tags=(("quality", ("high",)),)),
        ),
    ),
    row("writes-only", rates={"input": "1", "output": "2", "cache_write": "1.25"}),
    row("writes", rates={"input": "1", "output": "2", "cache_read": "0.1", "cache_write": "1.25"}),
)
BOOK: Final = PriceBook(
    [RowSource(ROWS)],
    ExchangeRates(
        [ExchangeRate("CNY", BEGINNING, END, picos_from_decimal(Decimal("0.14")), BEGINNING, "test")]
    ),
    Contracts(discounts=[Discount("acme:b", "b", Match("equals", "cheap"), (9, 10), BEGINNING, "test")]),
)


def candidate(model: str, vendor: str = "b", **facts: Any) -> Candidate:
    """A candidate, with what the catalog knows of it; `tokens_factor` and `region` as of Candidate."""
    own = {name: facts.pop(name) for name in ("tokens_factor", "region") if name in facts}
    how = facts.pop("how", "name")
    found = Found(Model(vendor, model, BEGINNING, **facts), how) if facts else None
    return Candidate(vendor, model, found, **own)


def call(number: int = 0, **fields: Any) -> UsageEvent:
    """A call of `old` on the first Monday, unless fields say otherwise."""
    stated: dict[str, Any] = {"vendor": "a", "model": "old", "time": DAY + timedelta(hours=12), **fields}
    return UsageEvent(id=f"t:{number}", source="test", **stated)


def page(calls: Iterable[UsageEvent], book: PriceBook = BOOK) -> dict[str, list[Any]]:
    """The calls as the ledger has them, billed at their own time's prices."""
    calls = list(calls)
    columns = {
        name: [getattr(one, name) for one in calls] for name in (*COLUMNS, *WORKLOAD) if name != "billed_cost"
    }
    billed = [book.price(one).cost_picos for one in calls]
    return {
        **columns,
        "billed_cost": [None if picos is None else decimal_from_picos(picos) for picos in billed],
    }


def ask(
    calls: Sequence[UsageEvent],
    *candidates: Candidate,
    at: datetime | None = NOW,
    by: Sequence[str] = WORKLOAD,
    since: datetime | None = None,
    until: datetime | None = None,
    pages: int = 1,
    **options: Any,
) -> Answer:
    """The answer about `calls`, given in so many pages."""
    question = WhatIf(BOOK, candidates, at=at, by=by, **options)
    for first in range(pages):
        if calls[first::pages]:
            question.add(page(calls[first::pages]))
    return question.answer(Period(since, until, NOW))


def only(answer: Answer) -> Choice:
    """The one choice of an answer."""
    (choice,) = answer.choices
    return choice


def left_out(choice: Choice) -> dict[str, int]:
    """How many calls are left out, by the code of the reason."""
    counted: dict[str, int] = {}
    for reason, one in choice.total.left_out.items():
        counted[reason.code] = counted.get(reason.code, 0) + one.calls
    return counted

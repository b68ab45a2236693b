from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from pricing_events import NOVEMBER, event, row

from tokenweir.pricing import Price, PriceBook, Priced
from tokenweir.pricing.aliases import Alias
from tokenweir.pricing.contracts import Contracts, Discount
from tokenweir.pricing.exchange import ExchangeRate, ExchangeRates
from tokenweir.pricing.matching import Match
from tokenweir.pricing.price import BEGINNING, END, Rate, RateCard
from tokenweir.pricing.sources import RowSource

COMPONENTS = ("input", "output", "cache_read", "cache_write", "cache_write_1h", "input_audio", "reasoning")
rates = st.integers(0, 10**15)
counts = st.integers(0, 10**7)


@st.composite
def cards(draw: st.DrawFn) -> tuple[RateCard, ...]:
    """A card, sometimes a dearer one for longer input over it."""
    names = ["input", "output", *draw(st.sets(st.sampled_from(COMPONENTS[2:5])))]
    base = {name: Rate(draw(rates), 1_000_000) for name in names}
    result = [RateCard(tuple(base.items()))]
    if draw(st.booleans()):
        dearer = {name: rate._replace(picos=rate.picos * 2) for name, rate in base.items()}
        result.append(RateCard(tuple(dearer.items()), input_above=draw(counts)))
    return tuple(result)


@st.composite
def usages(draw: st.DrawFn) -> dict[str, int]:
    """Exclusive parts."""
    return {name: draw(counts) for name in ("uncached", "read", "write", "write_1h", "output")}


def _priced(
    book: PriceBook, parts: dict[str, int], currency: str = "USD"
) -> tuple[int, tuple[tuple[str, int], ...]]:
    priced = book.price(
        event(
            "v",
            "m",
            input_tokens=parts["uncached"] + parts["read"] + parts["write"] + parts["write_1h"],
            cache_read_tokens=parts["read"],
            cache_write_tokens=parts["write"] + parts["write_1h"],
            cache_write_1h_tokens=parts["write_1h"],
            output_tokens=parts["output"],
        )
    )
    assert priced.currency == currency
    assert priced.cost_picos is not None
    assert type(priced.cost_picos) is int
    return priced.cost_picos, priced.parts


@given(cards(), usages(), st.integers(1, 10**13))
def test_parts_sum_to_the_cost_and_the_cost_is_the_native_cost_at_the_rate(
    given_cards: tuple[RateCard, ...], usage: dict[str, int], fx: int
) -> None:
    exchange = ExchangeRates([ExchangeRate("CNY", BEGINNING, END, fx, BEGINNING, "test")])
    native, native_parts = _priced(PriceBook([RowSource([row(cards=given_cards)])]), usage)
    assert sum(picos for _, picos in native_parts) == native
    cost, parts = _priced(
        PriceBook([RowSource([row(cards=given_cards, currency="CNY")])], exchange), usage, "CNY"
    )
    assert sum(picos for _, picos in parts) == cost
    assert abs(Fraction(native * fx, 10**12) - cost) <= Fraction(1, 2)


@given(
    cards(),
    usages(),
    st.sampled_from(["uncached", "read", "write", "write_1h", "output"]),
    st.integers(1, 10**6),
)
def test_more_of_anything_never_costs_less(
    given_cards: tuple[RateCard, ...], usage: dict[str, int], part: str, more: int
) -> None:
    book = PriceBook([RowSource([row(cards=given_cards)])])
    assert _priced(book, usage)[0] <= _priced(book, usage | {part: usage[part] + more})[0]


@given(cards(), usages())
def test_the_fast_way_and_the_full_way_agree(
    given_cards: tuple[RateCard, ...], usage: dict[str, int]
) -> None:
    # A rate that no count of these uses is enough to leave the fast way.
    slow = tuple(
        card._replace(rates=(*card.rates, ("reasoning", Rate(1, 1_000_000)))) for card in given_cards
    )
    fast_cost, fast_parts = _priced(PriceBook([RowSource([row(cards=given_cards)])]), usage)
    slow_cost, slow_parts = _priced(PriceBook([RowSource([row(cards=slow)])]), usage)
    assert fast_cost == slow_cost
    assert {n: p for n, p in fast_parts if p} == {n: p for n, p in slow_parts if p}


factors = st.tuples(st.integers(0, 2_000), st.sampled_from([1_000, 999, 7]))
fx_rates = st.integers(1, 10**13)


@st.composite
def contract_books(draw: st.DrawFn) -> tuple[PriceBook, PriceBook]:
    """A book of one public price, and the same with a committed price, a discount or both, maybe in yuan."""
    exchange = ExchangeRates([ExchangeRate("CNY", BEGINNING, END, draw(fx_rates), BEGINNING, "test")])
    public = [RowSource([row(cards=draw(cards()), currency=draw(st.sampled_from(["USD", "CNY"])))])]
    committed = row(cards=draw(cards()), currency=draw(st.sampled_from(["USD", "CNY"])), price_id="acme:m")
    discount = Discount("acme:off", "v", None, draw(factors), BEGINNING, "test")
    rows, discounts = draw(st.sampled_from([([committed], []), ([], [discount]), ([committed], [discount])]))
    return PriceBook(public, exchange), PriceBook(public, exchange, Contracts(rows, discounts))


def _call(book: PriceBook, parts: dict[str, int]) -> Priced:
    return book.price(
        event(
            "v",
            "m",
            input_tokens=parts["uncached"] + parts["read"] + parts["write"] + parts["write_1h"],
            cache_read_tokens=parts["read"],
            cache_write_tokens=parts["write"] + parts["write_1h"],
            cache_write_1h_tokens=parts["write_1h"],
            output_tokens=parts["output"],
        )
    )


@given(contract_books(), usages())
def test_contracts_leave_the_list_cost_and_their_parts_sum_to_the_cost(
    books: tuple[PriceBook, PriceBook], usage: dict[str, int]
) -> None:
    public, contracted = (_call(book, usage) for book in books)
    assert contracted.list_cost_picos == public.cost_picos == public.list_cost_picos
    assert contracted.price_status in ("contract", "free")
    assert contracted.cost_picos is not None
    assert type(contracted.cost_picos) is int
    assert sum(picos for _, picos in contracted.parts) == contracted.cost_picos


@given(
    contract_books(), usages(), st.sampled_from(["uncached", "read", "write", "write_1h", "output"]), counts
)
def test_more_of_anything_never_costs_less_under_a_contract(
    books: tuple[PriceBook, PriceBook], usage: dict[str, int], part: str, more: int
) -> None:
    _, book = books
    less_cost, more_cost = (
        _call(book, parts).cost_picos for parts in (usage, usage | {part: usage[part] + more})
    )
    assert less_cost is not None
    assert more_cost is not None
    assert less_cost <= more_cost


@given(cards(), usages(), factors)
def test_a_discounted_part_is_the_exact_part_rounded_once(
    given_cards: tuple[RateCard, ...], usage: dict[str, int], factor: tuple[int, int]
) -> None:
    public = RowSource([row(cards=given_cards)])
    discount = Discount("acme:off", "v", None, factor, BEGINNING, "test")
    # A price per so many tokens that its parts need no rounding.
    whole = RowSource(
        [
            row(
                cards=tuple(
                    card._replace(rates=tuple((n, r._replace(per=1)) for n, r in card.rates))
                    for card in given_cards
                )
            )
        ]
    )
    contracted = _call(PriceBook([public], contracts=Contracts(discounts=[discount])), usage)
    exact = dict(_call(PriceBook([whole]), usage).parts)
    if contracted.price_status == "contract":
        for name, picos in contracted.parts:
            assert picos == round(Fraction(exact[name] * factor[0], 1_000_000 * factor[1]))


days = st.integers(0, 400).map(lambda number: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=number))


@st.composite
def price_rows(draw: st.DrawFn) -> Price:
    starts_at, ends_at = sorted((draw(days), draw(days) + timedelta(days=401)))
    card = RateCard((("input", Rate(draw(rates), 1_000_000)), ("output", Rate(0, 1_000_000))))
    return row(
        card=card,
        valid_from=draw(st.sampled_from([None, starts_at])),
        valid_to=draw(st.sampled_from([None, ends_at])),
        recorded_at=draw(days),
        price_id=f"p{draw(st.integers())}",
    )


@given(st.lists(price_rows(), max_size=8), st.lists(price_rows(), max_size=5), days, days)
def test_what_is_learned_later_never_changes_what_was_answered_before(
    known: list[Price], learned: list[Price], known_at: datetime, moment: datetime
) -> None:
    later = [
        replace(price, recorded_at=known_at + timedelta(seconds=1 + n)) for n, price in enumerate(learned)
    ]
    before = PriceBook([RowSource(known)])
    after = PriceBook([RowSource([*known, *later])])
    call = event("v", "m", moment, input_tokens=1_000)
    assert before.price(call, known_at=known_at) == after.price(call, known_at=known_at)
    assert before.lookup("v", "m", moment, known_at=known_at) == after.lookup(
        "v", "m", moment, known_at=known_at
    )


@given(st.lists(price_rows(), min_size=1, max_size=8), st.lists(days, min_size=1, max_size=20), st.randoms())
def test_answers_do_not_depend_on_what_was_asked_before(
    known: list[Price], moments: list[datetime], random: Random
) -> None:
    book = PriceBook([RowSource(known)])
    shuffled = moments[:]
    random.shuffle(shuffled)
    answers = {moment: book.lookup("v", "m", moment) for moment in shuffled}
    for moment in moments:
        assert answers[moment] == PriceBook([RowSource(known)]).lookup("v", "m", moment)


@st.composite
def dated_contracts(draw: st.DrawFn) -> Contracts:
    """Committed prices, discounts and pointers, each in its time and known since its day."""

    def when() -> dict[str, datetime | None]:
        starts_at, ends_at = draw(days), draw(days) + timedelta(days=401)
        return {"valid_from": starts_at, "valid_to": draw(st.sampled_from([None, ends_at]))}

    numbers = range(draw(st.integers(0, 3)))
    return Contracts(
        draw(st.lists(price_rows(), max_size=3)),
        [Discount(f"off{n}", "v", None, draw(factors), draw(days), "test", **when()) for n in numbers],
        [
            Alias(f"alias{n}", "v", Match("equals", "pointer"), "v", "m", draw(days), "test", **when())
            for n in numbers
        ],
    )


@settings(deadline=None)
@given(st.lists(price_rows(), max_size=4), dated_contracts(), days, days)
def test_a_contract_learned_later_never_changes_what_was_answered_before(
    known: list[Price], contracts: Contracts, known_at: datetime, moment: datetime
) -> None:
    until_then = Contracts(
        [price for price in contracts.prices.rows() if price.recorded_at <= known_at],
        [discount for discount in contracts.discounts if discount.recorded_at <= known_at],
        contracts.aliases.of("v", "pointer", known_at)[::-1],
    )
    before = PriceBook([RowSource(known)], contracts=until_then)
    after = PriceBook([RowSource(known)], contracts=contracts)
    for model in ("m", "pointer"):
        call = event("v", model, moment, input_tokens=1_000)
        assert before.price(call, known_at=known_at) == after.price(call, known_at=known_at)


@settings(deadline=None)
@given(st.lists(price_rows(), max_size=4), dated_contracts(), st.lists(days, min_size=2, max_size=12))
def test_answers_under_contracts_do_not_depend_on_what_was_asked_before(
    known: list[Price], contracts: Contracts, moments: list[datetime]
) -> None:
    book = PriceBook([RowSource(known)], contracts=contracts)
    for moment in moments:
        call = event("v", "pointer", moment, input_tokens=1_000)
        assert book.price(call) == PriceBook([RowSource(known)], contracts=contracts).price(call)


def test_a_hundred_thousand_rows_are_one_answer_each() -> None:
    card = row().cards[0]
    rows = [row(f"m{number}", price_id=f"p{number}", card=card) for number in range(100_000)]
    book = PriceBook([RowSource(rows)])
    assert book.lookup("v", "m99999", NOVEMBER) == rows[99_999]

"""Settling what is stored: whatever arrived when, and however often it is done, the end is that of the calls alone."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from allowance_events import START, a_book, a_call, an_allowance, settled
from hypothesis import given, settings
from hypothesis import strategies as st
from pricing_events import per_million, row
from test_allowance_properties import allowances, calls

from tokenweir.pricing import PriceBook, Priced, priced_fields
from tokenweir.pricing.price import RateCard
from tokenweir.pricing.settlement import Settlement
from tokenweir.usage import UsageEvent

METERED = datetime(2025, 12, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Stored:
    """A call as the ledger gives it."""

    call: UsageEvent
    priced: Priced
    billed: Priced
    metered_at: datetime

    def __getattr__(self, name: str) -> Any:
        if name.startswith("billed_"):
            billed = priced_fields(self.billed)[name.removeprefix("billed_")]
            return Decimal(billed) if billed and name != "billed_price_id" else billed
        return self.priced.price_id if name == "price_id" else getattr(self.call, name)


def metered(book: PriceBook, call: UsageEvent, metered_at: datetime = METERED) -> Stored:
    """The call as the meter stores it: without allowances."""
    return Stored(call, book.price(call), book.price(call), metered_at)


def settle(book: PriceBook, ledger: dict[str, Stored]) -> int:
    """Settles all that is stored; how many calls were changed by it."""
    settlement = Settlement(book)
    changed = 0
    for stored in sorted(ledger.values(), key=lambda stored: (stored.time, stored.tenant, stored.id)):
        found = settlement.step(stored)
        if found is not None:
            ledger[stored.id] = replace(stored, priced=found.priced, billed=found.billed or stored.billed)
            changed += ledger[stored.id] != stored
    return changed


@settings(deadline=None)
@given(allowances(), calls(), st.randoms(), st.lists(st.booleans(), max_size=12))
def test_arrival_and_repetition_change_nothing_in_the_end(
    packs: list[Any], given_calls: list[UsageEvent], random: Random, settle_after: list[bool]
) -> None:
    book = a_book(*packs)
    expected, _ = settled(book, given_calls)
    arriving = given_calls[:]
    random.shuffle(arriving)
    ledger: dict[str, Stored] = {}
    for number, call in enumerate(arriving):
        ledger[call.id] = metered(book, call)
        if number < len(settle_after) and settle_after[number]:
            settle(book, ledger)
    settle(book, ledger)
    for call_id, stored in ledger.items():
        assert stored.priced == stored.billed
        assert priced_fields(stored.priced) == priced_fields(expected[call_id])
    assert settle(book, ledger) == 0


@settings(deadline=None)
@given(allowances(), allowances(), calls())
def test_what_is_learned_after_metering_moves_the_cost_and_not_what_was_billed(
    known: list[Any], learned: list[Any], given_calls: list[UsageEvent]
) -> None:
    later = [
        replace(pack, allowance_id=f"later{pack.allowance_id}", recorded_at=METERED + timedelta(days=1))
        for pack in learned
    ]
    before, after = a_book(*known), a_book(*known, *later)
    ledger = {call.id: metered(before, call) for call in given_calls}
    settle(before, ledger)
    billed = {call_id: stored.billed for call_id, stored in ledger.items()}
    settle(after, ledger)
    assert {call_id: stored.billed for call_id, stored in ledger.items()} == billed
    expected, _ = settled(after, given_calls)
    assert {call_id: stored.priced.cost_picos for call_id, stored in ledger.items()} == {
        call_id: priced.cost_picos for call_id, priced in expected.items()
    }


def test_a_call_that_a_late_one_pushes_out_of_the_pack_is_charged_again() -> None:
    book = a_book(an_allowance(10))
    ledger = {
        call.id: metered(book, call) for call in (a_call(1, input_tokens=10), a_call(2, input_tokens=10))
    }
    assert settle(book, ledger) == 1
    assert ledger["c0001"].priced.price_id == "pack+test:m"
    late = a_call(0, input_tokens=10)
    ledger[late.id] = metered(book, late)
    assert settle(book, ledger) == 2
    assert ledger["c0001"] == metered(book, a_call(1, input_tokens=10))
    assert (ledger["c0000"].priced.cost_picos, ledger["c0000"].billed.cost_picos) == (0, 0)


def test_an_allowance_that_is_taken_back_covers_nothing_any_more_and_what_was_billed_stays() -> None:
    pack = an_allowance(10)
    ledger = {"c0001": metered(a_book(pack), a_call(1, input_tokens=10))}
    settle(a_book(pack), ledger)
    taken_back = replace(pack, amount=0, recorded_at=METERED + timedelta(days=1))
    assert settle(a_book(pack, taken_back), ledger) == 1
    assert (ledger["c0001"].priced.price_status, ledger["c0001"].priced.cost_picos) == ("list", 10_000_000)
    billed = ledger["c0001"].billed
    assert (billed.cost_picos, billed.list_cost_picos, billed.price_id) == (0, 10_000_000, "pack+test:m")


def test_what_no_allowance_is_for_is_left_as_it_is_stored() -> None:
    stored = metered(a_book(), a_call(1, input_tokens=10))
    dearer = row(card=RateCard(per_million(input="3", output="4")), price_id="test:new", recorded_at=METERED)
    book = a_book(an_allowance(10, valid_from=START + timedelta(days=1)), public=[row(), dearer])
    assert settle(book, {"c0001": stored}) == 0


def test_what_was_billed_is_not_covered_where_the_book_cannot_tell_what_it_was() -> None:
    stored = metered(a_book(), a_call(1, input_tokens=10))
    unlike = replace(stored, billed=stored.billed._replace(cost_picos=7, list_cost_picos=7))
    ledger = {"c0001": unlike}
    settle(a_book(an_allowance(10)), ledger)
    assert ledger["c0001"].priced.cost_picos == 0
    assert ledger["c0001"].billed == unlike.billed

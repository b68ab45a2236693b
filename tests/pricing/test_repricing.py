"""What a stored call becomes when it is priced anew: nothing where nothing differs, and what was billed stays."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenweir.money import PICOS_PER_UNIT, decimal_from_picos
from tokenweir.pricing import Priced
from tokenweir.pricing.repricing import (
    BILLED_FIELDS,
    PRICED_FIELDS,
    RevisionsExhausted,
    is_priced_later,
    priced_values,
    revision,
)
from tokenweir.pricing.repricing_report import RepricingReport, change_of
from tokenweir.usage import MeteredEvent
from tokenweir.usage.metered import METERING_FIELDS, REPRICING_FIELDS
from tokenweir.usage.version import MAX_REVISION, next_revision
from tokenweir.usage.wire import encode_metered

METERED = datetime(2026, 3, 1, 0, 0, 0, 5, tzinfo=UTC)
LATER = METERED + timedelta(days=30)
picos = st.integers(0, 10**26)


@st.composite
def prices(draw: st.DrawFn) -> Priced:
    kind = draw(st.sampled_from(["priced", "priced", "unpriced", "no rate"]))
    if kind == "unpriced":
        return Priced(
            None, None, None, "USD", None, (), "", "unpriced", draw(st.sampled_from(["no price", "gone"]))
        )
    if kind == "no rate":
        return Priced(None, None, draw(picos), "XXX", None, (), "p", "unpriced", "no exchange rate")
    parts = tuple((name, draw(picos)) for name in draw(st.sampled_from([("input",), ("input", "output")])))
    cost = sum(amount for _, amount in parts)
    listed = draw(st.sampled_from([cost, cost + 1]))
    currency, rate = draw(st.sampled_from([("USD", PICOS_PER_UNIT), ("CNY", 140_000_000_001)]))
    return Priced(cost, listed, cost, currency, rate, parts, draw(st.sampled_from(["a", "b"])), "list", "")


def call(priced: Priced, **changes: Any) -> Any:
    """A call as the ledger gives it after its first metering."""
    values = priced_values(priced)
    fields = {
        **MeteredEvent(
            id="v:1",
            source="test",
            time=METERED,
            vendor="v",
            model="m",
            input_tokens=7,
            units={"images": Decimal("0.000000000001")},
            duration_ms=0.1,
            tags={"a": "b"},
            metered_at=METERED,
            version=(9 << 56) | (1_772_323_200_000 << 12),
        ).model_dump(),
        **values,
        **{name: values[of] for name, of in BILLED_FIELDS.items()},
        **changes,
    }
    return SimpleNamespace(**fields)


def test_a_price_decides_the_metering_fields_but_for_when_and_which_report() -> None:
    assert set(PRICED_FIELDS) | set(REPRICING_FIELDS) | {"metered_at", "version"} == set(METERING_FIELDS)
    assert {*BILLED_FIELDS, "repriced_at"} == set(REPRICING_FIELDS)


@given(prices())
def test_the_same_price_changes_nothing(priced: Priced) -> None:
    assert revision(call(priced), priced, repriced_at=LATER) is None
    assert revision(call(priced), priced, repriced_at=LATER, billed=priced) is None


@given(prices(), st.lists(prices(), min_size=1, max_size=5))
def test_pricing_twice_changes_nothing_and_what_was_billed_stays(first: Priced, others: list[Priced]) -> None:
    stored = call(first)
    for number, priced in enumerate(others):
        changed = revision(stored, priced, repriced_at=LATER + timedelta(days=number))
        if changed is None:
            assert priced_values(priced).items() <= vars(stored).items()
            continue
        assert changed["version"] == stored.version + 1
        assert set(changed) == {*PRICED_FIELDS, *REPRICING_FIELDS, "version"}
        vars(stored).update(changed)
        assert priced_values(priced).items() <= vars(stored).items()
        assert stored.billed_cost == priced_values(first)["cost"]
        assert stored.billed_list_cost == priced_values(first)["list_cost"]
        assert stored.billed_price_id == first.price_id
        assert revision(stored, priced, repriced_at=LATER + timedelta(days=99)) is None


@given(prices(), prices(), prices())
def test_what_is_to_have_been_billed_can_be_given(first: Priced, priced: Priced, billed: Priced) -> None:
    stored = call(first)
    changed = revision(stored, priced, repriced_at=LATER, billed=billed)
    if changed is not None:
        vars(stored).update(changed)
    assert stored.cost == priced_values(priced)["cost"]
    assert (stored.billed_cost, stored.billed_price_id) == (
        priced_values(billed)["cost"],
        billed.price_id,
    )
    assert revision(stored, priced, repriced_at=LATER, billed=billed) is None


@given(prices(), prices())
def test_a_changed_call_is_a_metered_event_on_the_wire(first: Priced, priced: Priced) -> None:
    stored = call(first)
    changed = revision(stored, priced, repriced_at=LATER) or {}
    line = encode_metered(vars(stored) | changed)
    event = MeteredEvent.model_validate_json(line, strict=False)
    for name, value in (vars(stored) | changed).items():
        assert getattr(event, name) == value, name
    assert b"\n" not in line
    assert b"E-" not in line


def test_what_is_at_its_default_is_left_out() -> None:
    stored = call(Priced(None, None, None, "USD", None, (), "", "unpriced", ""))
    assert (
        encode_metered(vars(stored))
        == b'{"id":"v:1","source":"test","time":"2026-03-01T00:00:00.000005Z","tags":{"a":"b"},"vendor":"v",'
        b'"model":"m","input_tokens":7,"units":{"images":"0.000000000001"},"duration_ms":0.1,'
        b'"metered_at":"2026-03-01T00:00:00.000005Z","version":%d}' % stored.version
    )


def test_a_version_counts_only_so_far() -> None:
    unpriced = Priced(None, None, None, "USD", None, (), "", "unpriced", "x")
    free = Priced(0, 0, 0, "USD", PICOS_PER_UNIT, (), "p", "free", "")
    version = (5 << 56) | (77 << 12)
    last = call(unpriced, version=version + MAX_REVISION - 1)
    changed = revision(last, free, repriced_at=LATER)
    assert changed is not None
    assert changed["version"] == version + MAX_REVISION
    with pytest.raises(RevisionsExhausted, match=r"v:1 of tenant default has been priced anew 4095 times"):
        revision(call(unpriced, version=version + MAX_REVISION), free, repriced_at=LATER)
    assert revision(call(free, version=version + MAX_REVISION), free, repriced_at=LATER) is None
    assert next_revision(version) == version + 1
    assert next_revision(version + MAX_REVISION) is None


def test_whether_a_call_was_priced_later_goes_by_its_last_pricing() -> None:
    free = Priced(0, 0, 0, "USD", PICOS_PER_UNIT, (), "p", "free", "")
    assert not is_priced_later(call(free), METERED)
    assert is_priced_later(call(free), METERED - timedelta(microseconds=1))
    assert is_priced_later(call(free, repriced_at=LATER), METERED)
    assert not is_priced_later(call(free, repriced_at=LATER), LATER)


amounts = st.none() | picos.map(decimal_from_picos)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), amounts, amounts), max_size=12),
    st.data(),
)
def test_the_report_is_the_sum_whichever_way_it_was_put_together(
    changes: list[tuple[str, str, Decimal | None, Decimal | None]], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(changes)))
    halves = []
    for part in (changes[:cut], changes[cut:]):
        half = RepricingReport()
        half.calls = len(part)
        for vendor, model, before, after in part:
            half.count((vendor, model), change_of(before, after))
        halves.append(RepricingReport.from_json(half.as_json()))
    report = RepricingReport()
    for half in data.draw(st.permutations(halves)):
        report.add(half)
    old: list[Decimal] = [cost for _, _, cost, _ in changes if cost is not None]
    new: list[Decimal] = [cost for _, _, _, cost in changes if cost is not None]
    total = report.total.row()
    assert report.calls == total["changed_calls"] == len(changes)
    assert total["cost_before"] == (sum(old) if old else None)
    assert total["cost_after"] == (sum(new) if new else None)
    assert total["difference"] == sum(new) - sum(old)
    assert total["newly_priced_calls"] == sum(b is None and a is not None for _, _, b, a in changes)
    assert total["newly_unpriced_calls"] == sum(b is not None and a is None for _, _, b, a in changes)
    rows = report.rows()
    assert sum(row["changed_calls"] for row in rows) == len(changes)
    moves = [abs(row["difference"]) for row in rows]
    assert moves == sorted(moves, reverse=True)

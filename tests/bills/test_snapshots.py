"""Bill lines, their snapshots, and their form on the wire."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tokenweir.bills import BillLine, Scope, VendorBill, snapshot_of
from tokenweir.bills.line import bill_line, day_of
from tokenweir.bills.wire import MAX_MESSAGE_LINES, account_key, encode_messages
from tokenweir.errors import RejectedInput

DAY = date(2026, 11, 1)
SCOPE = Scope("default", "openai", "main", "costs", DAY)
READ = datetime(2026, 11, 2, 8, tzinfo=UTC)


def line(**fields: Any) -> BillLine:
    return bill_line(**{"period_start": SCOPE.start, "period_end": SCOPE.end, **fields})


lines = st.builds(
    lambda model, tokens, amount, final: line(
        model=model, input_tokens=tokens, amount=amount, is_final=final
    ),
    st.sampled_from(["a", "b", ""]),
    st.none() | st.integers(0, 5),
    st.none() | st.decimals(-5, 5, places=3),
    st.booleans(),
)


@given(st.lists(lines, max_size=6), st.randoms(use_true_random=False))
def test_order_and_finality_change_nothing(content: list[BillLine], random: Any) -> None:
    first = snapshot_of(SCOPE, content, recorded_at=READ)
    shuffled = [one.model_copy(update={"is_final": True}) for one in content]
    random.shuffle(shuffled)
    second = snapshot_of(SCOPE, shuffled, recorded_at=READ + timedelta(days=1))
    assert {bill.snapshot for bill in first} == {bill.snapshot for bill in second}
    assert [bill.line for bill in first] == (list(range(1, len(content) + 1)) or [0])
    assert all(bill.lines == len(content) for bill in first)


@given(st.lists(lines, max_size=4), st.lists(lines, max_size=4))
def test_other_content_is_another_snapshot(one: list[BillLine], other: list[BillLine]) -> None:
    def content(of: list[BillLine]) -> list[str]:
        return sorted(line.model_dump_json(exclude={"is_final"}) for line in of)

    names = [snapshot_of(SCOPE, of, recorded_at=READ)[0].snapshot for of in (one, other)]
    assert (names[0] == names[1]) == (content(one) == content(other))


def test_equal_lines_are_two_lines() -> None:
    bills = snapshot_of(SCOPE, [line(amount=Decimal(1)), line(amount=Decimal(1))], recorded_at=READ)
    assert [(bill.line, bill.amount) for bill in bills] == [(1, 1), (2, 1)]


def test_refused_lines_are_part_of_what_a_day_says() -> None:
    names = {snapshot_of(SCOPE, [], recorded_at=READ, refused_lines=number)[0].snapshot for number in (0, 1)}
    assert len(names) == 2


def test_a_day_of_beijing_begins_the_evening_before() -> None:
    scope = Scope("default", "alibaba", "main", "trend", DAY, 480)
    assert scope.start == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert day_of(scope.start, 480) == DAY
    assert day_of(scope.end - timedelta(microseconds=1), 480) == DAY
    assert day_of(scope.end, 480) == DAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"period_end": SCOPE.start}, "implausible_time", ""),
        ({"period_start": datetime(2026, 11, 1)}, "implausible_time", "period_start"),  # noqa: DTZ001
        ({"period_end": datetime(2300, 1, 1, tzinfo=UTC)}, "implausible_time", ""),
        ({"input_tokens": -1}, "out_of_range", "input_tokens"),
        ({"input_tokens": 10**16}, "out_of_range", "input_tokens"),
        ({"amount": Decimal("1e30")}, "out_of_range", "amount"),
        ({"amount": Decimal("NaN")}, "out_of_range", "amount"),
        ({"currency": "dollars"}, "out_of_range", "currency"),
        ({"model": "a\nb"}, "control_character", "model"),
        ({"model": "x" * 300}, "out_of_range", "model"),
        ({"model": 7}, "wrong_type", "model"),
    ],
)
def test_what_cannot_be_is_refused_and_not_quoted(fields: dict[str, Any], reason: str, field: str) -> None:
    with pytest.raises(RejectedInput) as refused:
        line(**fields)
    assert (refused.value.reason, refused.value.field) == (reason, field)
    for value in fields.values():
        assert str(value) not in str(refused.value)


def test_amounts_keep_twelve_decimals() -> None:
    assert line(amount=Decimal("0.1234567890125")).amount == Decimal("0.123456789012")
    assert line(amount=Decimal("-12.5")).amount == Decimal("-12.5")


def test_a_bill_reads_back_as_it_was_written() -> None:
    bills = snapshot_of(SCOPE, [line(amount=Decimal("0.1"), model="m", requests=3)], recorded_at=READ)
    ((value, count),) = encode_messages(bills)
    assert count == 1
    assert VendorBill.model_validate_json(value) == bills[0]
    with pytest.raises(ValidationError):
        VendorBill.model_validate_json(value[:-1] + b',"more":1}')


def test_messages_are_bounded() -> None:
    bills = snapshot_of(SCOPE, [line(input_tokens=number) for number in range(1200)], recorded_at=READ)
    counts = [count for _, count in encode_messages(bills)]
    assert counts == [MAX_MESSAGE_LINES, MAX_MESSAGE_LINES, 200]
    assert account_key("t", "v", "a") == b"t\x1fv\x1fa"

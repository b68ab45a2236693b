"""Bills in the ledger: what holds, what was, and what a query sees of either."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from sinks.clickhouse import ClickHouseLedger, LedgerClient, bills, connect, migrate
from sinks.clickhouse.columns import BILL_COLUMNS
from tests.ledger.test_schema import acceptable_types, columns
from tokenweir.bills import Scope, VendorBill, snapshot_of
from tokenweir.bills.line import bill_line
from tokenweir.bills.wire import encode_bill
from tokenweir.errors import RejectedInput
from tokenweir.settings import ClickHouseSettings

DAY = date(2026, 11, 1)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerClient]:
    settings = ClickHouseSettings(dsn=SecretStr(f"chdb://{tmp_path_factory.mktemp('bills')}"))
    with connect(settings) as opened:
        migrate(opened, settings)
        yield opened


class Books:
    """One account's bills. Each test has an account of its own."""

    def __init__(self, client: LedgerClient, account: str) -> None:
        self._client = client
        self._ledger = ClickHouseLedger(client)
        self.account = account
        self._tokens = 0

    def snapshot(self, hour: int, *amounts: str, final: bool = True, day: date = DAY) -> list[VendorBill]:
        scope = Scope("default", "openai", self.account, "costs", day)
        lines = [
            bill_line(
                period_start=scope.start,
                period_end=scope.end,
                amount=Decimal(amount),
                amount_usd=Decimal(amount),
                input_tokens=7,
                is_final=final,
            )
            for amount in amounts
        ]
        return snapshot_of(scope, lines, recorded_at=datetime(2026, 11, 2, hour, tzinfo=UTC), is_final=final)

    def write(self, rows: list[VendorBill]) -> None:
        self._tokens += 1
        self._ledger.write_bills(b"\n".join(map(encode_bill, rows)), f"{self.account}-{self._tokens}")

    def holds(self) -> list[Decimal]:
        rows = self._client.query(
            "SELECT amount FROM vendor_bills WHERE account = {account:String} ORDER BY amount",
            {"account": self.account},
        )
        return [amount for (amount,) in rows]

    def states(self, **options: Any) -> list[dict[str, Any]]:
        return [row for row in bills.days(self._client, **options) if row["account"] == self.account]


@pytest.fixture
def books(client: LedgerClient, request: pytest.FixtureRequest) -> Books:
    return Books(client, request.node.name)


def test_the_table_has_the_columns_of_the_bill(client: LedgerClient) -> None:
    found = columns(client, "vendor_bill_lines")
    assert list(found) != []
    assert set(found) == set(VendorBill.model_fields)
    for name, field in VendorBill.model_fields.items():
        wanted = {"Date"} if name == "day" else acceptable_types(field.annotation)
        assert found[name] in wanted, f"{name} is {found[name]}, its field wants one of {wanted}"
    assert set(columns(client, "vendor_bills")) == set(BILL_COLUMNS)


def test_a_day_that_is_read_again_replaces_what_it_restates(books: Books) -> None:
    books.write(books.snapshot(1, "1", "2", "3"))
    assert books.holds() == [1, 2, 3]
    books.write(books.snapshot(2, "1", "5"))
    assert books.holds() == [1, 5]


def test_a_line_that_vanishes_vanishes_and_an_empty_day_is_empty(books: Books) -> None:
    books.write(books.snapshot(1, "1", "2"))
    books.write(books.snapshot(2))
    assert books.holds() == []
    assert books.states()[0]["lines"] == 0


def test_reading_the_same_again_adds_nothing_and_keeps_when_it_was_first_read(books: Books) -> None:
    for hour in (1, 2, 3):
        books.write(books.snapshot(hour, "1", "2", final=hour > 2))
    (state,) = books.states(history=True)
    assert (state["first_recorded_at"].hour, state["recorded_at"].hour) == (1, 3)
    assert (state["is_final"], state["restated"], state["amount"]) == (True, 0, 3)


def test_history_shows_what_a_day_said_before(books: Books) -> None:
    books.write(books.snapshot(1, "1"))
    books.write(books.snapshot(2, "2"))
    assert [row["amount"] for row in books.states(history=True)] == [1, 2]
    (now,) = books.states()
    assert (now["amount"], now["restated"]) == (2, 1)
    books.write(books.snapshot(3, "1"))
    assert books.holds() == [1]
    assert [row["amount"] for row in books.states(history=True)] == [2, 1]


def test_half_a_snapshot_does_not_show(books: Books) -> None:
    books.write(books.snapshot(1, "1", "2"))
    half = books.snapshot(2, "10", "20", "30")
    books.write(half[:2])
    assert books.holds() == [1, 2]
    books.write(half[2:])
    assert books.holds() == [10, 20, 30]


def test_a_reading_that_comes_late_does_not_bring_the_past_back(books: Books) -> None:
    books.write(books.snapshot(5, "5"))
    books.write(books.snapshot(2, "2"))
    assert books.holds() == [5]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_in_whatever_order_and_however_often_lines_arrive(books: Books, seed: int) -> None:
    random_ = random.Random(seed)
    rows = [row for hour in range(1, 6) for row in books.snapshot(hour, *map(str, range(hour)), "7")]
    deliveries = rows + random_.choices(rows, k=10)
    random_.shuffle(deliveries)
    while deliveries:
        size = random_.randint(1, 4)
        books.write(deliveries[:size])
        del deliveries[:size]
    assert books.holds() == [0, 1, 2, 3, 4, 7]


def test_details_are_kept_out_of_what_is_added_up(books: Books) -> None:
    rows = books.snapshot(1, "1", "2")
    books.write([row.model_copy(update={"is_detail": row.line == 1}) for row in rows])
    assert books.holds() == [2]
    details = books._client.query(
        "SELECT amount FROM vendor_bill_details WHERE account = {account:String}", {"account": books.account}
    )
    assert details == [(Decimal(1),)]


def test_a_redelivered_block_is_dropped(books: Books) -> None:
    lines = b"\n".join(map(encode_bill, books.snapshot(1, "1", "1")))
    ledger = ClickHouseLedger(books._client)
    for _ in range(2):
        ledger.write_bills(lines, f"{books.account}-same")
    ledger.write_bills(b"", "empty")
    assert books.holds() == [1, 1]


def test_days_are_chosen_by_vendor_and_time(books: Books) -> None:
    for number in (1, 2, 3):
        books.write(books.snapshot(number, str(number), day=date(2026, 12, number)))
    chosen = books.states(vendor="openai", since=date(2026, 12, 2), until=date(2026, 12, 3))
    assert [row["amount"] for row in chosen] == [2]
    assert books.states(vendor="anthropic") == []


@pytest.mark.parametrize(
    "line", [b'{"tenant":"a"', b'{"tenant":"a","more":1}', b'{"tenant":"a","amount":"a lot"}']
)
def test_a_line_that_is_no_bill_is_refused(books: Books, line: bytes) -> None:
    with pytest.raises(RejectedInput):
        ClickHouseLedger(books._client).write_bills(line, f"{books.account}-bad")

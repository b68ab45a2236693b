"""Questions to the ledger: what they group by, which bounds they keep, what they refuse."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from sinks.clickhouse import ClickHouseLedger, LedgerClient
from sinks.clickhouse.queries import rejected, spend, totals, unpriced
from tokenweir.errors import WrongCall
from tokenweir.usage import MeteredEvent, UsageEvent

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def event(number: int, time: datetime, cost: str | None, **fields: object) -> bytes:
    amount = Decimal(cost) if cost is not None else None
    return (
        MeteredEvent.model_validate(
            {
                "id": f"call-{number}",
                "source": "test",
                "time": time,
                "vendor": "openai",
                "model": "gpt-5-mini",
                "input_tokens": 10,
                "cost": amount,
                "list_cost": amount,
                "price_status": "list" if cost is not None else "unpriced",
                "unpriced_reason": "" if cost is not None else "unknown_model",
                "metered_at": time,
                "version": 1,
                **fields,
            }
        )
        .model_dump_json(exclude_defaults=True)
        .encode()
    )


@pytest.fixture(params=["live", "rolled up"])
def filled(
    request: pytest.FixtureRequest, ledger_client: LedgerClient, ledger: ClickHouseLedger
) -> Iterator[LedgerClient]:
    lines = [
        event(1, DAY, "0.000000000001", team="search", user="ann"),
        event(2, DAY + timedelta(hours=1, seconds=30), "2.5", team="search", user="bob"),
        event(3, DAY + timedelta(hours=1, seconds=31), None, team="ads", user="ann", model="mystery"),
        event(4, DAY + timedelta(days=1), "1", team="ads", user="it's"),
    ]
    ledger.write_events(b"\n".join(lines), "block")
    if request.param == "rolled up":
        ledger.keep(DAY + timedelta(days=9_000))
    return ledger_client


def test_spend_is_grouped_and_exact(filled: LedgerClient) -> None:
    rows = spend(filled, by=["team"])
    assert [(row["team"], row["calls"], row["unpriced_calls"], row["cost"]) for row in rows] == [
        ("search", 2, 0, Decimal("2.500000000001")),
        ("ads", 2, 1, Decimal(1)),
    ]


def test_what_has_no_price_costs_nothing_known_rather_than_nothing(filled: LedgerClient) -> None:
    (row,) = spend(filled, by=["model"], where={"model": "mystery"})
    assert row["cost"] is None
    assert row["unpriced_calls"] == row["calls"] == 1


def test_spend_by_period(filled: LedgerClient) -> None:
    assert [(row["day"], row["calls"]) for row in spend(filled, by=["day"])] == [
        ("2026-03-01", 3),
        ("2026-03-02", 1),
    ]
    assert [(row["hour"], row["calls"]) for row in spend(filled, by=["hour"])] == [
        ("2026-03-01T00:00:00Z", 1),
        ("2026-03-01T01:00:00Z", 2),
        ("2026-03-02T00:00:00Z", 1),
    ]
    assert [
        (row["day"], row["user"]) for row in spend(filled, by=["day", "user"], where={"team": ["ads"]})
    ] == [
        ("2026-03-01", "ann"),
        ("2026-03-02", "it's"),
    ]


@pytest.mark.parametrize(
    ("since", "until", "calls"),
    [
        (DAY, DAY + timedelta(days=1), 3),
        (DAY + timedelta(hours=1), None, 3),
        (None, DAY + timedelta(hours=1, minutes=1), 3),
        (DAY + timedelta(hours=1, seconds=31), DAY + timedelta(days=1, microseconds=1), 2),
        (DAY + timedelta(hours=1, seconds=30, microseconds=1), DAY + timedelta(days=1), 1),
        (DAY + timedelta(days=2), None, 0),
    ],
)
def test_bounds_hold_whichever_view_they_fit(
    filled: LedgerClient, since: datetime | None, until: datetime | None, calls: int
) -> None:
    assert spend(filled, since=since, until=until)[0]["calls"] == calls


def test_values_cannot_carry_sql(filled: LedgerClient) -> None:
    (row,) = spend(filled, where={"user": "it's"})
    assert row["calls"] == 1
    (row,) = spend(filled, where={"user": "' OR 1 = 1 --"})
    assert row["calls"] == 0


@pytest.mark.parametrize("names", [["cost"], ["team; DROP TABLE events"], ["minute"], ["block"]])
def test_only_dimensions_group(filled: LedgerClient, names: list[str]) -> None:
    with pytest.raises(WrongCall, match="nothing that usage is known by"):
        spend(filled, by=names)
    with pytest.raises(WrongCall, match="nothing that usage is known by"):
        spend(filled, where={names[0]: "x"})


def test_a_time_without_zone_is_refused(filled: LedgerClient) -> None:
    with pytest.raises(WrongCall, match="no zone"):
        spend(filled, since=datetime(2026, 3, 1))  # noqa: DTZ001


def test_totals(filled: LedgerClient) -> None:
    row = totals(filled)
    assert (row["calls"], row["input_tokens"], row["cost"]) == (4, 40, Decimal("3.500000000001"))
    assert (row["first_minute"], row["last_minute"]) == (DAY, DAY + timedelta(days=1))


def test_totals_of_an_empty_ledger(ledger_client: LedgerClient) -> None:
    row = totals(ledger_client)
    assert (row["calls"], row["cost"], row["first_minute"]) == (0, None, None)
    assert unpriced(ledger_client) == []
    assert rejected(ledger_client) == []


def test_unpriced(filled: LedgerClient) -> None:
    (row,) = unpriced(filled)
    assert (row["vendor"], row["model"], row["unpriced_reason"], row["calls"]) == (
        "openai",
        "mystery",
        "unknown_model",
        1,
    )
    assert row["first_time"] == row["last_time"] == DAY + timedelta(hours=1, seconds=31)
    assert UsageEvent.model_validate(row["last_call"]).id == "call-3"


def test_unpriced_tells_what_is_held_back_and_its_last_call(
    ledger_client: LedgerClient, ledger: ClickHouseLedger
) -> None:
    later = DAY + timedelta(hours=2)
    lines = [
        event(1, DAY, None, team="ads", service="a", units={"images": Decimal("1.5")}),
        event(2, later, None, team="ads", service="b", units={"images": Decimal(2), "pages": Decimal(1)}),
        event(3, DAY, None, team="ads", service="b", tenant="other", region="eu"),
        event(4, later, None, team="ads", unpriced_reason="another"),
        event(5, later, "1", team="search"),
    ]
    ledger.write_events(b"\n".join(lines), "block")
    first, second = unpriced(ledger_client)
    assert (first["unpriced_reason"], second["unpriced_reason"]) == ("unknown_model", "another")
    assert (first["calls"], first["input_tokens"], first["teams"], first["services"]) == (3, 30, 2, 3)
    assert first["units"] == {"images": Decimal("3.5"), "pages": Decimal(1)}
    assert (first["first_time"], first["last_time"]) == (DAY, later)
    last = UsageEvent.model_validate(first["last_call"])
    assert (last.id, last.time, last.units) == (
        "call-2",
        later,
        {"images": Decimal(2), "pages": Decimal(1)},
    )


def test_rejected_shows_the_latest_first(ledger_client: LedgerClient, ledger: ClickHouseLedger) -> None:
    for number in range(3):
        ledger.write_rejections(
            b'{"id":"%d","rejected_at":"2026-01-01T00:00:0%dZ","stage":"sink","reason":"store_refused","detail":"d"}'
            % (number, number),
            f"r{number}",
        )
    rows = rejected(ledger_client, 2)
    assert [row["id"] for row in rows] == ["2", "1"]
    assert rows[0]["rejected_at"] == datetime(2026, 1, 1, 0, 0, 2, tzinfo=UTC)
    with pytest.raises(WrongCall, match="shows nothing"):
        rejected(ledger_client, 0)


def test_latency_quantiles_merge_from_the_rollups(
    ledger_client: LedgerClient, ledger: ClickHouseLedger
) -> None:
    lines = [event(n, DAY + timedelta(minutes=n), "1", duration_ms=float(n)) for n in range(1, 101)]
    ledger.write_events(b"\n".join(lines), "block")
    sql = (
        "SELECT arrayMap(x -> round(x), quantilesTDigestMerge(0.5, 0.9, 0.95, 0.99)(duration_quantiles_ms)), "
        "sum(duration_calls), sum(duration_sum_ms), sum(ttft_calls) FROM usage_by_{}"
    )
    live = {period: ledger_client.query(sql.format(period))[0] for period in ("minute", "hour", "day")}
    ledger.keep(DAY + timedelta(days=9_000))
    for period, before in live.items():
        after = ledger_client.query(sql.format(period))[0]
        assert after[1:] == before[1:] == (100, 5050.0, 0)
        for median, ninetieth, _, _ in (before[0], after[0]):
            assert abs(median - 50) <= 2
            assert abs(ninetieth - 90) <= 2

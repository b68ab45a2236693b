"""The read-only ledger by itself: exact rows, bound parameters, what it refuses before the engine is asked."""

from decimal import Decimal

import pytest

from tokenweir.local.read_only import Limits, QueryRefused, ReadOnlyLedger, parameter_text


async def test_rows_are_exact_and_bound(engine: str) -> None:
    ledger = ReadOnlyLedger(engine, database="tokenweir")
    rows = await ledger.rows(
        "SELECT team, sum(cost) AS spent, max(time) AS last FROM events WHERE team IN {teams:Array(String)} "
        "GROUP BY team ORDER BY team",
        {"teams": ["team-1", "' OR 1 = 1 --"]},
    )
    ledger.close()
    exact = Decimal(sum(number for number in range(1000) if number % 10 and number % 3 == 1)).scaleb(-12)
    assert rows == [{"team": "team-1", "spent": f"{exact:f}".rstrip("0"), "last": "2026-11-01 00:16:37.000"}]


def test_query_size_and_names_are_checked(engine: str) -> None:
    ledger = ReadOnlyLedger(engine, database="tokenweir", limits=Limits(query_bytes=100))
    with pytest.raises(QueryRefused, match="longer than 100 bytes"):
        ledger.run("SELECT 1" + " " * 100)
    with pytest.raises(QueryRefused, match="Unknown format"):
        ledger.run("SELECT 1", format="TSV; DROP")
    with pytest.raises(QueryRefused, match="UNKNOWN_DATABASE"):
        ledger.run("SELECT 1", database="a` b")
    with pytest.raises(QueryRefused, match="Bad parameter name"):
        ledger.run("SELECT 1", parameters={"a = 1, readonly": "0"})
    with pytest.raises(ValueError, match="not a database name"):
        ReadOnlyLedger(engine, database="a b")
    ledger.close()


def test_parameter_text() -> None:
    assert parameter_text(None) == r"\N"
    assert parameter_text(True) == "1"
    assert parameter_text(["a'b", "c"]) == r"['a\'b','c']"
    assert parameter_text("a\tb\\") == r"a\tb\\"

# ruff: noqa: S608 - names in the SQL come from this package's lists, values go in as parameters
"""What vendors' bills say, read from the ledger's views `vendor_bill_current` and `vendor_bill_history`."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from sinks.clickhouse.client import LedgerClient

Row = dict[str, Any]

_DAY_COLUMNS: Final = (
    "tenant",
    "vendor",
    "account",
    "report",
    "day",
    "lines",
    "refused_lines",
    "requests",
    "input_tokens",
    "output_tokens",
    "amount",
    "currency",
    "amount_usd",
    "is_final",
    "is_detail",
    "first_recorded_at",
    "recorded_at",
)
_STATES: Final = "tenant, vendor, account, report, day"


def days(
    client: LedgerClient,
    *,
    vendor: str = "",
    since: date | None = None,
    until: date | None = None,
    history: bool = False,
) -> list[Row]:
    """A row for each day of each report, as it holds now; with `history` one for each whole state that it was in.

    since ≤ day < until. `restated` is how many different states the day was in before. Raises StoreUnavailable.
    """
    clauses, parameters = _period(vendor, since, until)
    where = f"WHERE is_whole {''.join(f'AND {clause} ' for clause in clauses)}"
    newest = "" if history else f"ORDER BY recorded_at DESC, snapshot DESC LIMIT 1 BY {_STATES}"
    rows = client.query(
        f"SELECT {', '.join(_DAY_COLUMNS)}, restated FROM ("
        f"SELECT *, count() OVER (PARTITION BY {_STATES}) - 1 AS restated FROM vendor_bill_history {where}{newest}"
        ") ORDER BY tenant, vendor, account, report, day, recorded_at",
        parameters,
    )
    names = (*_DAY_COLUMNS, "restated")
    return [dict(zip(names, map(_in_utc, row), strict=True)) for row in rows]


def lines(
    client: LedgerClient,
    columns: Sequence[str],
    *,
    vendor: str = "",
    since: date | None = None,
    until: date | None = None,
) -> list[Row]:
    """These columns of every line that holds, details among them, since ≤ day < until. Raises StoreUnavailable."""
    clauses, parameters = _period(vendor, since, until)
    where = f"WHERE {' AND '.join(clauses)} " if clauses else ""
    rows = client.query(
        f"SELECT {', '.join(columns)} FROM vendor_bill_current {where}"
        "ORDER BY tenant, vendor, account, report, day, line",
        parameters,
    )
    return [dict(zip(columns, map(_in_utc, row), strict=True)) for row in rows]


def _period(vendor: str, since: date | None, until: date | None) -> tuple[list[str], dict[str, Any]]:
    clauses: list[str] = []
    parameters: dict[str, Any] = {}
    if vendor:
        clauses.append("vendor = {vendor:String}")
        parameters["vendor"] = vendor
    for name, sign, day in (("since", ">=", since), ("until", "<", until)):
        if day is not None:
            clauses.append(f"day {sign} {{{name}:Date}}")
            parameters[name] = day.isoformat()
    return clauses, parameters


def _in_utc(value: Any) -> Any:
    """The driver gives UTC times with no zone; ours always have one."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value

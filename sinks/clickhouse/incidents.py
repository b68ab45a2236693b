# ruff: noqa: S608 - names in the SQL come from this package's lists, values go in as parameters
"""What the detectors said, read from the ledger: incidents as their last signal left them, and single signals."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sinks.clickhouse.client import LedgerClient
from sinks.clickhouse.columns import SIGNAL_COLUMNS

Row = dict[str, Any]

INCIDENT_COLUMNS: Final = (
    "incident",
    "fingerprint",
    "kind",
    "subject",
    "scope",
    "state",
    "severity",
    "started_at",
    "opened_at",
    "observed_at",
    "resolved_at",
    "value",
    "baseline",
    "unit",
    "impact_usd_per_day",
    "title",
    "explanation",
    "contributors",
    "evidence",
    "acknowledged_by",
    "muted_until",
    "signals",
)
_JSON_COLUMNS: Final = ("contributors", "evidence")


def incidents(
    client: LedgerClient,
    *,
    is_open: bool = False,
    kinds: Sequence[str] = (),
    since: datetime | None = None,
    fingerprint: str = "",
    limit: int = 1000,
) -> list[Row]:
    """Incidents, INCIDENT_COLUMNS each: what is open first, then the latest first.

    is_open: only what is not over. since: only what was seen at or after this time. Raises StoreUnavailable.
    """
    clauses, parameters = _clauses(kinds, since, fingerprint)
    if is_open:
        clauses.append("state != 'resolved'")
    rows = client.query(
        f"SELECT {', '.join(INCIDENT_COLUMNS)} FROM incidents {_where(clauses)}"
        f"ORDER BY state = 'resolved', observed_at DESC, incident LIMIT {int(limit)}",
        parameters,
    )
    return [_row(INCIDENT_COLUMNS, row) for row in rows]


def signals(
    client: LedgerClient,
    *,
    kinds: Sequence[str] = (),
    since: datetime | None = None,
    fingerprint: str = "",
    limit: int = 100_000,
) -> list[Row]:
    """Single signals, fields as in tokenweir.signals.Signal, in the order in which they were seen."""
    clauses, parameters = _clauses(kinds, since, fingerprint)
    rows = client.query(
        f"SELECT {', '.join(SIGNAL_COLUMNS)} FROM signals FINAL {_where(clauses)}"
        f"ORDER BY observed_at, incident, length(id), id LIMIT {int(limit)}",
        parameters,
    )
    return [_row(SIGNAL_COLUMNS, row) for row in rows]


def _clauses(
    kinds: Sequence[str], since: datetime | None, fingerprint: str
) -> tuple[list[str], dict[str, Any]]:
    clauses: list[str] = []
    parameters: dict[str, Any] = {}
    if kinds:
        clauses.append("has({kinds:Array(String)}, kind)")
        parameters["kinds"] = list(kinds)
    if since is not None:
        clauses.append("observed_at >= fromUnixTimestamp64Micro({since:Int64})")
        parameters["since"] = round(since.timestamp() * 1_000_000)
    if fingerprint:
        clauses.append("fingerprint = {fingerprint:String}")
        parameters["fingerprint"] = fingerprint
    return clauses, parameters


def _where(clauses: Sequence[str]) -> str:
    return f"WHERE {' AND '.join(clauses)} " if clauses else ""


def _row(columns: Sequence[str], values: Sequence[Any]) -> Row:
    row = dict(zip(columns, map(_in_utc, values), strict=True))
    return row | {name: json.loads(row[name]) for name in _JSON_COLUMNS if row[name]}


def _in_utc(value: Any) -> Any:
    """The driver gives UTC times with no zone; ours always have one."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value

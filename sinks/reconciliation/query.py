# ruff: noqa: S608 - names in the SQL come from this package's lists, values go in as parameters
"""Both sides, fetched from the ledger's store: the bills that hold, and the ledger's sums by the vendor's days."""

from collections import defaultdict
from datetime import date
from typing import Any, Final

from sinks.clickhouse import bills as stored
from sinks.clickhouse.client import LedgerClient
from sinks.reconciliation.measures import Measures
from sinks.reconciliation.sides import BillEntry, Facts, LedgerEntry, ReportDay

_LINE_COLUMNS: Final = (
    "tenant",
    "vendor",
    "report",
    "day",
    "utc_offset_minutes",
    "model",
    "api_key",
    "project",
    "line_item",
    "requests",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "amount",
    "currency",
    "amount_usd",
    "is_detail",
)
_LEDGER_SUMS: Final = (
    "calls",
    "unpriced_calls",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "cost",
)
Place = tuple[str, str]


def fetch_facts(
    client: LedgerClient, *, vendor: str = "", tenant: str = "", since: date, until: date
) -> list[Facts]:
    """Both sides of every tenant and vendor that has either, since ≤ day < until. Raises StoreUnavailable."""
    lines = stored.lines(client, _LINE_COLUMNS, vendor=vendor, since=since, until=until)
    days = stored.days(client, vendor=vendor, since=since, until=until, history=True)
    bills: dict[Place, list[BillEntry]] = defaultdict(list)
    offsets: dict[Place, int] = {}
    for row in lines:
        bills[row["tenant"], row["vendor"]].append(_bill(row))
        offsets[row["tenant"], row["vendor"]] = row["utc_offset_minutes"]
    states: dict[Place, list[ReportDay]] = defaultdict(list)
    for place, found in _by_scope(days).items():
        states[place] += found
    places = {*bills, *states, *_metered(client, vendor, since, until)}
    return [
        Facts(
            tenant=place[0],
            vendor=place[1],
            bills=bills[place],
            ledger=_ledger(client, place, offsets.get(place, 0), since, until),
            days=states[place],
        )
        for place in sorted(places)
        if not tenant or place[0] == tenant
    ]


def _bill(row: dict[str, Any]) -> BillEntry:
    return BillEntry(
        report=row["report"],
        day=row["day"],
        model=row["model"],
        api_key=row["api_key"],
        project=row["project"],
        line_item=row["line_item"],
        measures=Measures(
            input_tokens=row["input_tokens"],
            cache_read_tokens=row["cache_read_tokens"],
            cache_write_tokens=row["cache_write_tokens"],
            output_tokens=row["output_tokens"],
            requests=row["requests"],
            cost=row["amount_usd"],
        ),
        amount=row["amount"],
        currency=row["currency"],
        is_detail=row["is_detail"],
    )


def _by_scope(rows: list[dict[str, Any]]) -> dict[Place, list[ReportDay]]:
    """The states of every day of every report; the last that was read is the one that holds."""
    scopes: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        scopes[row["tenant"], row["vendor"], row["account"], row["report"], str(row["day"])].append(row)
    found: dict[Place, list[ReportDay]] = defaultdict(list)
    for states in scopes.values():
        for position, row in enumerate(states, 1):
            found[row["tenant"], row["vendor"]].append(
                ReportDay(
                    report=row["report"],
                    day=row["day"],
                    is_final=bool(row["is_final"]),
                    is_former=position < len(states),
                    is_detail=bool(row["is_detail"]),
                    refused_lines=row["refused_lines"],
                    tokens=(row["input_tokens"] or 0) + (row["output_tokens"] or 0),
                    amount=row["amount_usd"],
                )
            )
    return found


def _metered(client: LedgerClient, vendor: str, since: date, until: date) -> set[Place]:
    condition = " AND vendor = {vendor:String}" if vendor else ""
    rows = client.query(
        "SELECT DISTINCT tenant, vendor FROM usage_by_day WHERE day >= toDateTime({since:String}, 'UTC') "
        f"AND day < toDateTime({{until:String}}, 'UTC'){condition}",
        {"since": f"{since} 00:00:00", "until": f"{until} 00:00:00", "vendor": vendor},
    )
    return {(str(tenant), str(name)) for tenant, name in rows}


def _ledger(client: LedgerClient, place: Place, offset: int, since: date, until: date) -> list[LedgerEntry]:
    """Sums by the vendor's days. Hours are whole in every zone that a vendor counts days in."""
    local = f"addMinutes(u.hour, {int(offset)})"
    names = ("day", "model", "api_key", "project", *_LEDGER_SUMS)
    rows = client.query(
        f"SELECT toDate({local}, 'UTC') AS local_day, u.model, u.api_key, u.project, "
        f"{', '.join(f'sum(u.{name})' for name in _LEDGER_SUMS)} FROM usage_by_hour AS u "
        "WHERE u.tenant = {tenant:String} AND u.vendor = {vendor:String} "
        f"AND {local} >= toDateTime({{since:String}}, 'UTC') AND {local} < toDateTime({{until:String}}, 'UTC') "
        "GROUP BY local_day, u.model, u.api_key, u.project ORDER BY local_day, u.model, u.api_key, u.project",
        {
            "tenant": place[0],
            "vendor": place[1],
            "since": f"{since} 00:00:00",
            "until": f"{until} 00:00:00",
        },
    )
    found = []
    for values in rows:
        row = dict(zip(names, values, strict=True))
        found.append(
            LedgerEntry(
                day=row["day"],
                model=row["model"],
                api_key=row["api_key"],
                project=row["project"],
                measures=Measures(
                    input_tokens=row["input_tokens"],
                    cache_read_tokens=row["cache_read_tokens"],
                    cache_write_tokens=row["cache_write_tokens"],
                    output_tokens=row["output_tokens"],
                    requests=row["calls"],
                    cost=row["cost"],
                ),
                unpriced_calls=row["unpriced_calls"],
            )
        )
    return found

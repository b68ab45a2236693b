# ruff: noqa: S608 - names in the SQL come from this package's lists, values go in as parameters
"""The ledger's calls one by one, page by page: for what has to look at each call, such as pricing it again.

Calls come from the view `usage`, so each comes once, as last known, in the order of time, tenant and id. A page holds
them column by column and gives them one by one, with the attributes of MeteredEvent; `PriceBook.price` takes such a
call and `PriceBook.price_group` such columns. All is exact: amounts are Decimal, counts int, times aware and UTC.

Invariants: memory is bounded by one page; a page is one query, so each is read from one snapshot of the ledger.

Limits: pages are not one snapshot together. A call that is reported again meanwhile under another time may come twice
or not at all, one that arrives meanwhile may not come. Amounts have the twelve decimals that the ledger keeps.
"""

from collections import namedtuple
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sinks.clickhouse.client import LedgerClient
from sinks.clickhouse.columns import EVENT_COLUMNS, ROLLUP_DIMENSIONS
from sinks.clickhouse.conditions import (
    DIMENSIONS,
    Where,
    check_names,
    check_zone,
    moment_text,
    time_clauses,
    value_clauses,
)

PAGE_CALLS: Final = 20_000
"""Calls a page. One has some 500 bytes on its way here, so that a page is some 10 MB."""

PRICING_COLUMNS: Final = (
    "id",
    "time",
    "tenant",
    "vendor",
    "model",
    "region",
    "service_tier",
    *(name for name in EVENT_COLUMNS if name.endswith("_tokens")),
    "units",
    "tags",
    "status",
    "reported_cost",
    "reported_currency",
)
"""All that a price depends on, and what names the call."""

CallKey = tuple[datetime, str, str]
"""time, tenant, id: where a call stands in the order in which calls are read"""

_TIMES: Final = ("time", "metered_at", "repriced_at")
_KEY: Final = ("time", "tenant", "id")
_COUNTED_BY: Final = ("tenant", *ROLLUP_DIMENSIONS)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)


class CallPage:
    """Some calls of the ledger. columns: the values of each field of MeteredEvent that was asked for, of one length."""

    __slots__ = ("_call", "columns")

    def __init__(self, columns: Mapping[str, Sequence[Any]], call: Any) -> None:
        self.columns = columns
        self._call = call

    @property
    def last_key(self) -> CallKey:
        """Where the last of the calls stands; `read_calls` goes on behind it."""
        time, tenant, call_id = (self.columns[name][-1] for name in _KEY)
        return time, tenant, call_id

    def __len__(self) -> int:
        return len(self.columns["id"])

    def __iter__(self) -> Iterator[Any]:
        """The calls one by one: a named tuple each, of the fields that were asked for."""
        return map(self._call._make, zip(*self.columns.values(), strict=True))


def read_calls(
    client: LedgerClient,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    where: Where | None = None,
    columns: Sequence[str] = EVENT_COLUMNS,
    after: CallKey | None = None,
    page_calls: int = PAGE_CALLS,
) -> Iterator[CallPage]:
    """The calls of `since` ≤ time < `until` that meet `where`, by time, tenant and id.

    where: dimension → the value, or the values, that it must have, as in `queries.spend`. columns: fields of
    MeteredEvent; `time`, `tenant` and `id` come in any case. after: only calls behind this one. No page is empty.
    Raises WrongCall for a name that is no dimension or a time without a zone, StoreUnavailable.
    """
    conditions = dict(where or {})
    check_names(tuple(conditions), DIMENSIONS)
    names = tuple(name for name in EVENT_COLUMNS if name in columns or name in _KEY)
    call = namedtuple("Call", names)  # type: ignore[misc]
    if after is not None:
        since = max(since, after[0]) if since else after[0]
    for span in _spans(client, since, until, conditions, page_calls):
        while True:
            page = CallPage(_read_page(client, names, span, conditions, after, page_calls), call)
            if len(page):
                yield page
                after = page.last_key
            if len(page) < page_calls:
                break


def _read_page(
    client: LedgerClient,
    names: Sequence[str],
    span: tuple[datetime, datetime],
    conditions: Where,
    after: CallKey | None,
    page_calls: int,
) -> dict[str, Sequence[Any]]:
    """The first calls of a span of time behind the call `after`."""
    parameters: dict[str, Any] = {}
    clauses = [*time_clauses("time", *span, parameters), *value_clauses(conditions, parameters)]
    if after is not None:
        parameters |= {"time": moment_text(after[0]), "tenant": after[1], "id": after[2]}
        clauses.append(
            "(u.time, u.tenant, u.id) > (toDateTime64({time:String}, 6, 'UTC'), {tenant:String}, {id:String})"
        )
    columns = client.query_columns(
        f"SELECT {', '.join(f'u.{name} AS {name}' for name in names)} FROM usage AS u "
        f"WHERE {' AND '.join(clauses)} ORDER BY u.time, u.tenant, u.id LIMIT {int(page_calls)}",
        parameters,
    )
    return {
        name: _in_utc(columns.get(name, ())) if name in _TIMES else columns.get(name, ()) for name in names
    }


def _spans(
    client: LedgerClient, since: datetime | None, until: datetime | None, conditions: Where, page_calls: int
) -> Iterator[tuple[datetime, datetime]]:
    """Spans of time, in order, that hold all the calls, most of them no more than fill a page.

    Sorting needs all calls of a span at once, so that a span is kept small: days where a day has few, else minutes.
    """
    counted = {name: value for name, value in conditions.items() if name in _COUNTED_BY}
    parameters: dict[str, Any] = {}
    first = _start(since, _DAY) if since else None
    clauses = [*time_clauses("day", first, until, parameters), *value_clauses(counted, parameters)]
    days = client.query(
        "SELECT toUnixTimestamp(u.day) AS start, sum(u.calls) FROM usage_by_day AS u"
        + (f" WHERE {' AND '.join(clauses)}" if clauses else "")
        + " GROUP BY start ORDER BY start",
        parameters,
    )
    periods = _days_or_minutes(client, days, page_calls)
    if since:
        periods = ((max(start, since), end, calls) for start, end, calls in periods if end > since)
    if until:
        periods = ((start, min(end, until), calls) for start, end, calls in periods if start < until)
    return _joined(periods, page_calls)


def _days_or_minutes(
    client: LedgerClient, days: Sequence[tuple[Any, ...]], page_calls: int
) -> Iterator[tuple[datetime, datetime, int]]:
    """(start, end, calls) of each day, or of each of its minutes where it has more calls than a page."""
    for seconds, calls in days:
        day = datetime.fromtimestamp(seconds, UTC)
        if calls <= page_calls:
            yield day, day + _DAY, calls
            continue
        parameters: dict[str, Any] = {}
        clauses = time_clauses("minute", day, day + _DAY, parameters)
        # Reports, not calls: never fewer, and known without looking at any event.
        minutes = client.query(
            "SELECT toUnixTimestamp(u.minute) AS start, sum(u.written_events) FROM minutes AS u "
            f"WHERE {' AND '.join(clauses)} GROUP BY start ORDER BY start",
            parameters,
        )
        for minute_seconds, reports in minutes:
            minute = datetime.fromtimestamp(minute_seconds, UTC)
            yield minute, minute + _MINUTE, reports


def _joined(
    periods: Iterator[tuple[datetime, datetime, int]], page_calls: int
) -> Iterator[tuple[datetime, datetime]]:
    """Neighbouring periods put together for as long as their calls fit a page."""
    first, last, held = None, None, 0
    for start, end, calls in periods:
        if first is not None and last is not None and held + calls > page_calls:
            yield first, last
            first, held = None, 0
        first = first or start
        last, held = end, held + calls
    if first is not None and last is not None:
        yield first, last


def _start(moment: datetime, length: timedelta) -> datetime:
    """The start of the period of that length, counted from the Unix epoch, in which `moment` lies."""
    check_zone(moment)
    return moment - (moment - _EPOCH) % length


def _in_utc(moments: Sequence[datetime | None]) -> Sequence[datetime | None]:
    """The driver gives UTC times with no zone; ours always have one."""
    return [None if moment is None else moment.replace(tzinfo=UTC) for moment in moments]

"""What is asked of a vendor, for whom, and for which days. Plain data.

Invariant: no `repr` of anything here shows a secret.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Self

from tokenweir.bills.snapshot import day_start


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """key: the API key, or the secret half of a pair. key_id: the other half. session_token: of AWS, if any."""

    key: str = field(default="", repr=False)
    key_id: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account at a vendor, as the settings name it.

    base_url: scheme and host in place of the vendor's own. vendor_account: the vendor's id of a team, account or
    project where its API wants one. resources: the vendor's ids of endpoints, services or keys where its API is asked
    for each. labels: the vendor's ids of keys, projects, workspaces and users → our names of them.
    """

    vendor: str
    name: str
    tenant: str = "default"
    credentials: Credentials = field(default_factory=Credentials, repr=False)
    base_url: str = ""
    vendor_account: str = ""
    region: str = ""
    resources: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    def label(self, vendor_id: str) -> str:
        """Our name of something, else the vendor's id of it."""
        return self.labels.get(vendor_id, vendor_id)

    def at(self, base_url: str) -> str:
        """Scheme and host to ask: the account's own, else the vendor's."""
        return (self.base_url or base_url).rstrip("/")


@dataclass(frozen=True, slots=True)
class Window:
    """The days from `start` up to but not `end`, as the vendor counts days."""

    start: date
    end: date
    utc_offset_minutes: int = 0

    @property
    def start_at(self) -> datetime:
        """When the first day begins, UTC."""
        return day_start(self.start, self.utc_offset_minutes)

    @property
    def end_at(self) -> datetime:
        """When the day after the last begins, UTC."""
        return day_start(self.end, self.utc_offset_minutes)

    def days(self) -> Iterator[date]:
        """Every day of it."""
        for number in range((self.end - self.start).days):
            yield self.start + timedelta(days=number)

    def chunks(self, most_days: int) -> Iterator["Window"]:
        """The same days in windows of at most so many."""
        start = self.start
        while start < self.end:
            end = min(self.end, start + timedelta(days=most_days))
            yield replace(self, start=start, end=end)
            start = end


def months_of(window: Window) -> list[tuple[int, int]]:
    """Year and month of every month that a window touches."""
    return sorted({(day.year, day.month) for day in window.days()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request, unsigned. url: without query. query: decoded names and values. tag: what the reader of the
    answer has to know of the request, e.g. which day or endpoint it asked for."""

    method: str
    url: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    tag: str = ""

    def asking(self, **query: str) -> Self:
        """The same request with these query values in place of those of the same name."""
        kept = tuple(pair for pair in self.query if pair[0] not in query)
        return replace(self, query=(*kept, *query.items()))

    def with_headers(self, *headers: tuple[str, str]) -> Self:
        """The same request with more headers."""
        return replace(self, headers=(*self.headers, *headers))


Sign = Callable[[Request, Credentials, datetime], Request]
"""Gives the request with what proves who asks. The moment is UTC."""


def bearer(request: Request, credentials: Credentials, now: datetime) -> Request:
    """`Authorization: Bearer …`."""
    return request.with_headers(("Authorization", f"Bearer {credentials.key}"))


def x_api_key(request: Request, credentials: Credentials, now: datetime) -> Request:
    """`x-api-key: …`."""
    return request.with_headers(("x-api-key", credentials.key))


def rfc3339(moment: datetime) -> str:
    """`2026-11-01T00:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

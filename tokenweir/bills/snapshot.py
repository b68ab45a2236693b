"""Snapshots: all lines of one report and one day, replaced as a whole when the report is read again.

Vendors restate past days: amounts change, lines come and lines vanish. A line has no name of its own that would
survive this, so lines are not replaced one by one. What is replaced is the whole day of a report (a `Scope`).

- A snapshot is named by its content. Reading an unchanged day again gives the same snapshot, which only becomes more
  recent; a restated day gives another, and the former stays as history.
- Every line says how many there are, so a reader takes a snapshot for whole only when it has all of them. Of the
  whole snapshots of a scope the one that was read last holds.
- A day on which nothing was billed is a snapshot, too: one row without a line. So a line that vanishes, vanishes.

`is_final` is no content: that a day has become final changes nothing of what it says.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from tokenweir.bills.line import BillLine, VendorBill


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """What one snapshot covers: a day of one report of one account, as the vendor counts days."""

    tenant: str
    vendor: str
    account: str
    report: str
    day: date
    utc_offset_minutes: int = 0

    @property
    def start(self) -> datetime:
        """When the day begins, UTC."""
        return day_start(self.day, self.utc_offset_minutes)

    @property
    def end(self) -> datetime:
        """When the next day begins, UTC."""
        return self.start + timedelta(days=1)


def day_start(day: date, utc_offset_minutes: int) -> datetime:
    """When a vendor's day begins, UTC."""
    return datetime.combine(day, time(), UTC) - timedelta(minutes=utc_offset_minutes)


def snapshot_of(
    scope: Scope,
    lines: Iterable[BillLine],
    *,
    recorded_at: datetime,
    refused_lines: int = 0,
    is_final: bool = True,
) -> list[VendorBill]:
    """The snapshot's rows, one where there is no line. The order in which the vendor lists lines changes nothing.

    recorded_at: UTC, when the report was read. refused_lines: how many lines of the day could not be read.
    is_final: of a day without lines; with lines each says so itself.
    """
    content = sorted(
        ((line.model_dump_json(exclude={"is_final"}, exclude_defaults=True), line) for line in lines),
        key=lambda pair: pair[0],
    )
    digest = hashlib.blake2b(str(refused_lines).encode(), digest_size=16)
    for text, _ in content:
        digest.update(text.encode())
        digest.update(b"\n")
    place = {
        "tenant": scope.tenant,
        "vendor": scope.vendor,
        "account": scope.account,
        "report": scope.report,
        "day": scope.day,
        "utc_offset_minutes": scope.utc_offset_minutes,
        "snapshot": digest.hexdigest(),
        "lines": len(content),
        "refused_lines": refused_lines,
        "recorded_at": recorded_at,
    }
    if not content:
        empty = VendorBill(period_start=scope.start, period_end=scope.end, line=0, is_final=is_final, **place)
        return [empty]
    return [
        VendorBill(**{**dict(line), **place, "line": number})
        for number, (_, line) in enumerate(content, start=1)
    ]

"""Pricing lines whose cost depends on one another: allowances are used up in the order of the calls, not of the lines.

The lines are read to their end before anything is answered. They wait in a temporary file; in memory there is an entry
of some 700 bytes for each call to a vendor that has an allowance, of which there may be MAX_CALLS. Every line has its
answer at its own place.
"""

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from hashlib import blake2b
from typing import IO, Final, NamedTuple

from tokenweir.errors import RejectedInput, WrongCall
from tokenweir.pricing import PriceBook, Priced
from tokenweir.pricing.balances import Balances, covered_price
from tokenweir.pricing.covering import NOT_COVERED, Coverage
from tokenweir.usage import UsageEvent
from tokenweir.usage.version import fullness

MAX_CALLS: Final = 1_000_000
"""Calls to vendors with allowances in one input: some 700 MB of memory."""

_DIGEST_BYTES: Final = 8

Read = Callable[[bytes], UsageEvent]
Answer = tuple[UsageEvent, Priced] | RejectedInput
_CallKey = tuple[str, str, int]


class _Report(NamedTuple):
    """A report of a call: how full it is, its line's digest and place in the spool, and the call's time."""

    known: int
    digest: bytes
    offset: int
    time: datetime


def price_in_event_order(
    lines: Iterable[bytes],
    read: Read,
    book: PriceBook,
    *,
    nameless_id: str,
    known_at: datetime | None = None,
    max_calls: int = MAX_CALLS,
) -> Iterator[tuple[int, Answer]]:
    """The number of each line that is not blank, and its answer, in the order of the lines.

    read: makes the event of a line, or raises RejectedInput. nameless_id: the id that it gives to an event which states
    none; each of these is a call of its own. Lines with one tenant and id report one call, which takes of allowances
    once, by its fullest report. Raises WrongCall for more than `max_calls`.
    """
    with tempfile.TemporaryFile() as spool:
        reports = _spool(lines, spool, read, book, nameless_id, max_calls)
        coverage = _cover(reports, spool, read, book, known_at)
        reports.clear()
        spool.seek(0)
        for number, line in enumerate(spool):
            if not line.strip():
                continue
            try:
                event = read(line)
            except RejectedInput as error:
                yield number, error
                continue
            priced = book.price(event, known_at=known_at)
            covered = coverage.get(_key(event, number, nameless_id), NOT_COVERED)
            yield number, (event, covered_price(book, event, priced, covered, known_at=known_at))


def _spool(
    lines: Iterable[bytes], spool: IO[bytes], read: Read, book: PriceBook, nameless_id: str, max_calls: int
) -> dict[_CallKey, _Report]:
    """Keep the lines; of each call that an allowance may be for the fullest report, whichever came first."""
    vendors = book.contracts.allowances.vendors
    reports: dict[_CallKey, _Report] = {}
    offset = 0
    for number, line in enumerate(lines):
        kept = line if line.endswith(b"\n") else line + b"\n"
        spool.write(kept)
        offset += len(kept)
        if not line.strip():
            continue
        try:
            event = read(line)
        except RejectedInput:
            continue
        if event.vendor not in vendors:
            continue
        digest = blake2b(line.strip(), digest_size=_DIGEST_BYTES).digest()
        report = _Report(fullness(event), digest, offset - len(kept), event.time)
        key = _key(event, number, nameless_id)
        if key not in reports or reports[key][:2] < report[:2]:
            reports[key] = report
        if len(reports) > max_calls:
            raise WrongCall(
                f"the input has more than {max_calls:,} calls to vendors that have allowances",
                hint="Price it without allowances, or send it into a ledger and ask `weir allowances`",
            )
    return reports


def _cover(
    reports: dict[_CallKey, _Report],
    spool: IO[bytes],
    read: Read,
    book: PriceBook,
    known_at: datetime | None,
) -> dict[_CallKey, Coverage]:
    """What allowances cover of each call that takes any."""
    balances = Balances(book)
    coverage: dict[_CallKey, Coverage] = {}
    # Most calls are covered whole by the same allowance: with the same shares, whatever they took.
    alike: dict[tuple[object, ...], Coverage] = {}
    for key, report in sorted(
        reports.items(), key=lambda item: (item[1].time, *item[0][:2], item[1].digest, item[0][2])
    ):
        spool.seek(report.offset)
        _, covered = balances.take(read(spool.readline()), known_at=known_at)
        if covered.taken:
            names = tuple(name for name, _ in covered.taken)
            coverage[key] = alike.setdefault((names, *sorted(covered.charged.items())), covered)
    return coverage


def _key(event: UsageEvent, number: int, nameless_id: str) -> _CallKey:
    return sys.intern(event.tenant), event.id, number if event.id == nameless_id else 0

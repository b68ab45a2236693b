"""Pricing a ledger's calls anew: read a chunk, decide, note it, send what changes to Kafka, until all are seen.

What changes travels as a metered event of the next revision on the topic of the metered events, so that a sink stores
and settles it as anything else. A job may be killed at any moment and run again: what was noted and not yet stored is
sent again as it was decided, and the rest is read on from there.

Invariants: a chunk is noted before it is sent, and noted as stored only when the ledger has it; what is sent again is
only what the ledger does not have yet, so that a newer report or price is never displaced.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NamedTuple, Protocol

from producers.delivery import Delivery
from producers.delivery.batching import Batcher, Message, Workload, workload_of
from producers.delivery.receipts import Receipt
from sinks.clickhouse.calls import PAGE_CALLS, CallPage, read_calls
from sinks.clickhouse.client import LedgerClient
from sinks.clickhouse.conditions import Where
from tokenweir.errors import BrokerUnavailable
from tokenweir.local.repricing_journal import Chunk, JobTerms, Journal
from tokenweir.pricing import PriceBook, Priced
from tokenweir.pricing.repricing import is_priced_later, revision
from tokenweir.pricing.repricing_report import RepricingReport, change_of
from tokenweir.topics import METERED
from tokenweir.usage import MeteredEvent
from tokenweir.usage.wire import encode_metered

_PATIENCE_SECONDS: Final = 120.0
_CALLS_UNCONFIRMED: Final = 100_000
"""So many changed calls may wait to be stored before the job waits for them."""

_MICROSECOND: Final = timedelta(microseconds=1)


class Repriced(NamedTuple):
    """What a call costs now. billed: what it is to have been billed, where that is not what it was at first."""

    priced: Priced
    billed: Priced | None = None


PriceAnew = Callable[[Sequence[Any]], Iterable[Repriced | None]]
"""Prices some calls, which come by time, tenant and id; an answer for each, in order, None for one to leave alone."""


def at_known_prices(book: PriceBook, terms: JobTerms) -> PriceAnew:
    """Prices calls with what the book knew at the job's `known_at`."""

    def price(calls: Sequence[Any]) -> Iterator[Repriced]:
        return (Repriced(book.price(call, known_at=terms.known_at)) for call in calls)

    return price


class Outlet(Protocol):
    """Where changed calls go."""

    def send(self, lines: Sequence[tuple[Workload, bytes]]) -> None:
        """Have Kafka take some lines of metered events."""
        ...

    def wait_until_stored(self) -> None:
        """Wait until the ledger has all that was sent."""
        ...


class KafkaOutlet:
    """Changed calls on their way to the sink.

    check: raises what keeps them from ever being stored. wait: waits until all that Kafka has is stored, or raises.
    """

    def __init__(self, delivery: Delivery, *, check: Callable[[], None], wait: Callable[[], None]) -> None:
        self._delivery = delivery
        self._check = check
        self._topic = delivery.topic(METERED.name)
        self._wait = wait

    def send(self, lines: Sequence[tuple[Workload, bytes]]) -> None:
        """Returns when Kafka has confirmed them. Raises BrokerUnavailable, StoreUnavailable."""
        self._check()
        batcher = Batcher(self._topic)
        messages: list[Message] = []
        for workload, line in lines:
            messages += batcher.add(workload, line, 0.0)
        receipts: list[Receipt] = [
            self._delivery.send(message, timeout_seconds=_PATIENCE_SECONDS)
            for message in [*messages, *batcher.take_all()]
        ]
        if not self._delivery.flush(_PATIENCE_SECONDS):
            raise self._delivery.unavailable(_PATIENCE_SECONDS)
        for receipt in receipts:
            error = receipt.exception(timeout=0)
            if error is not None:
                raise BrokerUnavailable(
                    f"Kafka does not take calls that were priced anew: {error}", hint="See `weir doctor`"
                ) from error

    def wait_until_stored(self) -> None:
        """Raises StoreUnavailable."""
        self._wait()


@dataclass(frozen=True, slots=True)
class Decided:
    """What a page of calls becomes."""

    lines: list[tuple[Workload, bytes]]
    report: RepricingReport


def decide(page: CallPage, price: PriceAnew, terms: JobTerms) -> Decided:
    """What of a page changes. Pure but for `price`. Raises RevisionsExhausted."""
    calls = [call for call in page if not is_priced_later(call, terms.started_at)]
    lines: list[tuple[Workload, bytes]] = []
    report = RepricingReport()
    for call, repriced in zip(calls, price(calls), strict=True):
        if repriced is None:
            continue
        report.calls += 1
        changed = revision(call, repriced.priced, repriced_at=terms.started_at, billed=repriced.billed)
        if changed is not None:
            lines.append((workload_of(call), encode_metered(call._asdict() | changed)))
            report.count((call.vendor, call.model), change_of(call.cost, changed["cost"]))
    return Decided(lines, report)


def foresee(
    client: LedgerClient, price: PriceAnew, terms: JobTerms, where: Where, *, tell: Callable[[int], None]
) -> RepricingReport:
    """What a re-pricing would change. tell: is told how many calls were looked at, now and then."""
    report = RepricingReport()
    for page in read_calls(client, since=terms.since, until=terms.until, where=where):
        report.add(decide(page, price, terms).report)
        tell(report.calls)
    return report


def reprice(
    client: LedgerClient,
    outlet: Outlet,
    journal: Journal,
    price: PriceAnew,
    where: Where,
    *,
    tell: Callable[[int], None],
    page_calls: int = PAGE_CALLS,
) -> RepricingReport:
    """Price the calls of the journal's job anew; returns when all that changed is in the ledger.

    The report is that of the whole job, of the processes before this one too. Raises RevisionsExhausted,
    BrokerUnavailable, StoreUnavailable; run again with the same journal it goes on.
    """
    _send_again(client, outlet, journal)
    terms, unconfirmed = journal.terms, 0
    pages = read_calls(
        client,
        since=terms.since,
        until=terms.until,
        where=where,
        after=journal.last,
        page_calls=page_calls,
    )
    for page in pages:
        decided = decide(page, price, terms)
        journal.add(page.last_key, decided.report, [line for _, line in decided.lines])
        if decided.lines:
            outlet.send(decided.lines)
        unconfirmed += len(decided.lines)
        if unconfirmed >= _CALLS_UNCONFIRMED:
            outlet.wait_until_stored()
            journal.stored()
            unconfirmed = 0
        tell(journal.report.calls)
    if unconfirmed:
        outlet.wait_until_stored()
    journal.stored()
    return journal.report


def reprice_unnoted(
    client: LedgerClient, outlet: Outlet, price: PriceAnew, terms: JobTerms, where: Where
) -> RepricingReport:
    """As `reprice`, for what is done again anyway where it was killed; the report is of this run."""
    report, sent = RepricingReport(), False
    for page in read_calls(client, since=terms.since, until=terms.until, where=where):
        decided = decide(page, price, terms)
        if decided.lines:
            outlet.send(decided.lines)
            sent = True
        report.add(decided.report)
    if sent:
        outlet.wait_until_stored()
    return report


def _send_again(client: LedgerClient, outlet: Outlet, journal: Journal) -> None:
    """Send what an earlier process noted and did not see stored, as far as the ledger does not have it."""
    for chunk in journal.waiting:
        lines = _missing_lines(client, chunk)
        if lines:
            outlet.send(lines)
    if journal.waiting:
        outlet.wait_until_stored()
        journal.stored()


def _missing_lines(client: LedgerClient, chunk: Chunk) -> list[tuple[Workload, bytes]]:
    """The lines of a chunk of which the ledger does not have the version yet, nor a better one."""
    content = chunk.lines.read_bytes() if chunk.lines.exists() else b""
    lines = [(MeteredEvent.model_validate_json(line, strict=False), line) for line in content.splitlines()]
    if not lines:
        return []
    times = [event.time for event, _ in lines]
    pages = read_calls(
        client,
        since=min(times),
        until=max(times) + _MICROSECOND,
        where={"vendor": sorted({event.vendor for event, _ in lines})},
        columns=("version",),
    )
    held = {(call.tenant, call.id): call.version for page in pages for call in page}
    return [
        (workload_of(event), line)
        for event, line in lines
        if held.get((event.tenant, event.id), -1) < event.version
    ]

"""The meter: one message of reported usage in, the same events priced out, with minute sums and what was refused.

Pure: no Kafka, no clock, no environment. The same message with the same position, times and prices gives the same
output, byte for byte apart from `metered_at`, so that a message processed twice changes nothing downstream.

Invariants:
- every line that is not blank is either metered or refused, never both, never neither;
- an event without a price is forwarded with `price_status` unpriced and no cost, never with 0;
- money is integers of 10^-12 here and plain decimal strings in the output.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from streams.lines import BadLine, read_lines
from streams.records import Columns
from streams.windows import combine, encode_windows
from tokenweir.errors import RejectedInput
from tokenweir.money import PICOS_PER_UNIT, decimal_string
from tokenweir.pricing import Priced
from tokenweir.usage import Rejection
from tokenweir.usage.event import SCHEMA_VERSION
from tokenweir.usage.redaction import redact
from tokenweir.usage.rejection import Reason
from tokenweir.usage.version import FULLNESS_STEP, fullness_by_column, report_stamp
from tokenweir.usage.wire import HEADER_SCHEMA, schema_version_of

MAX_REJECTIONS: Final = 1_000
"""Of one message at most so many lines are refused one by one; one further rejection counts the rest."""

_MAX_KEY_CHARACTERS: Final = 1_100
_MAX_DETAIL_CHARACTERS: Final = 2_000

Headers = Sequence[tuple[str, bytes | None]] | None


class Book(Protocol):
    """What prices events: `tokenweir.pricing.PriceBook`, or another with the same answers."""

    def price_all(self, events: Sequence[Any], columns: Mapping[str, Sequence[Any]]) -> list[Priced]:
        """What each of `events` (anything with UsageEvent's attributes) costs; `columns` holds the same by field."""
        ...


class Position(NamedTuple):
    """Where a message stands, its key, and Kafka's time of it in Unix milliseconds."""

    topic: str
    partition: int
    offset: int
    key: bytes | None = None
    reported_at_ms: int = 0

    @property
    def name(self) -> str:
        """`<topic>/<partition>/<offset>`."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def unique_name(self) -> str:
        """`<topic>/<partition>/<offset>@<time>`, the same at every redelivery.

        The time is in it because a broker that keeps nothing begins at offset 0 again when it is started anew.
        """
        return f"{self.name}@{self.reported_at_ms}"


class MeterOutput(NamedTuple):
    """What is to be sent on for one message.

    metered: NDJSON of MeteredEvent, empty where no line was accepted. windows: (tenant as key, NDJSON of
    MinuteWindow), one pair a tenant. refused_lines: lines refused, which may be more than there are rejections.
    """

    metered: bytes
    event_count: int
    windows: list[tuple[bytes, bytes]]
    rejections: list[Rejection]
    refused_lines: int
    unpriced_count: int


_encode_lines: Final = msgspec.json.Encoder().encode_lines
_encode: Final = msgspec.json.encode


class Meter:
    """Checks, prices and sums messages with one price book."""

    def __init__(self, book: Book) -> None:
        self._price_all = book.price_all

    def step(
        self,
        value: bytes | None,
        *,
        headers: Headers,
        topic: str,
        partition: int,
        offset: int,
        reported_at_ms: int,
        now: datetime,
        key: bytes | None = None,
    ) -> MeterOutput:
        """What the message at this position becomes.

        reported_at_ms: Kafka's time of the message, which decides among reports of one call. now: UTC, becomes
        `metered_at`, and no event may lie a day ahead of it.
        """
        position = Position(topic, partition, offset, key, reported_at_ms)
        version = schema_version_of(headers)
        if version != str(SCHEMA_VERSION):
            return _refused_whole(value or b"", position, now, _wrong_schema_version(version))
        if value is None or not value or value.isspace():
            return _refused_whole(value or b"", position, now, _EMPTY_BATCH)
        records, columns, bad = read_lines(value, now)
        costs = self._meter(records, columns, reported_at_ms, now)
        metered = _encode_lines(records)
        return MeterOutput(
            metered=metered[:-1] if metered.endswith(b"\n") else metered,
            event_count=len(records),
            windows=encode_windows(combine(columns, costs), position.unique_name),
            rejections=_rejections(bad, position, now),
            refused_lines=len(bad),
            unpriced_count=costs.count(None),
        )

    def _meter(
        self, records: list[Any], columns: Columns, reported_at_ms: int, now: datetime
    ) -> list[int | None]:
        """Fill in the metering fields; the costs in picos."""
        metered_at = msgspec.Raw(_encode(now))
        stamp = report_stamp(reported_at_ms)
        costs: list[int | None] = []
        for record, known, priced in zip(
            records, fullness_by_column(columns), self._price_all(records, columns), strict=True
        ):
            cost, list_cost, native_cost, currency, fx_rate, parts, price_id, price_status, reason = priced
            costs.append(cost)
            if cost is not None:
                record.cost = text = decimal_string(cost)
                if list_cost == cost == native_cost:
                    record.list_cost = record.native_cost = text
                    list_cost = native_cost = None
            if list_cost is not None:
                record.list_cost = decimal_string(list_cost)
            if native_cost is not None:
                record.native_cost = decimal_string(native_cost)
            if currency != "USD":
                record.currency = currency
            if fx_rate is not None:
                record.fx_rate = "1" if fx_rate == PICOS_PER_UNIT else decimal_string(fx_rate)
            if parts:
                record.cost_parts = {name: decimal_string(picos) for name, picos in parts}
            if price_id:
                record.price_id = price_id
            record.price_status = price_status
            if reason:
                record.unpriced_reason = reason
            record.metered_at = metered_at
            record.version = known * FULLNESS_STEP + stamp
        return costs


def split_lines(value: bytes, limit_bytes: int) -> list[bytes]:
    """NDJSON cut between lines into pieces of at most `limit_bytes`; one line longer than that is a piece."""
    pieces: list[bytes] = []
    start = 0
    while len(value) - start > limit_bytes:
        cut = value.rfind(b"\n", start, start + limit_bytes + 1)
        if cut < 0:
            cut = value.find(b"\n", start)
            if cut < 0:
                break
        pieces.append(value[start:cut])
        start = cut + 1
    if start < len(value):
        pieces.append(value[start:])
    return pieces


_EMPTY_BATCH: Final = RejectedInput(
    "empty_batch",
    "the message holds no line",
    hint="Send one JSON object a line; to send nothing, send no message",
)


def _wrong_schema_version(version: str) -> RejectedInput:
    stated = version if version.isascii() and version.isalnum() and len(version) <= 16 else "something else"
    return RejectedInput(
        "wrong_schema_version",
        f"the header {HEADER_SCHEMA} states {stated}, this meter reads {SCHEMA_VERSION}",
        field=HEADER_SCHEMA,
        hint="Upgrade the meter, or send the version that it reads",
    )


def _refused_whole(value: bytes, position: Position, now: datetime, error: RejectedInput) -> MeterOutput:
    rejection = rejection_of_piece(value, error, position, now, stage="meter", line=-1)
    return MeterOutput(b"", 0, [], [rejection], 1, 0)


def _rejections(bad: list[BadLine], position: Position, now: datetime) -> list[Rejection]:
    rejections = [
        rejection_of_piece(line, error, position, now, stage="meter", line=number)
        for number, line, error in bad[:MAX_REJECTIONS]
    ]
    rest = bad[MAX_REJECTIONS:]
    if rest:
        error = RejectedInput(
            "too_large",
            f"{len(rest)} further lines of this message were refused, from line {rest[0].number}",
            hint="Read them from the usage topic at this offset while it keeps them",
        )
        rejections.append(rejection_of_piece(b"", error, position, now, stage="meter", line=rest[0].number))
    return rejections


def rejection_of_piece(
    piece: bytes,
    error: RejectedInput,
    position: Position,
    now: datetime,
    *,
    stage: Any,
    line: int,
) -> Rejection:
    """The rejection of one line, or of a whole message (line -1), with its content taken out."""
    payload, truncated = redact(piece)
    reason: Reason = error.reason  # type: ignore[assignment]
    return Rejection(
        id=f"{position.name}/{line}@{position.reported_at_ms}",
        rejected_at=now,
        stage=stage,
        reason=reason,
        field=error.field,
        detail=str(error)[:_MAX_DETAIL_CHARACTERS],
        topic=position.topic,
        partition=position.partition,
        offset=position.offset,
        line=line,
        key=(position.key or b"").decode(errors="replace")[:_MAX_KEY_CHARACTERS],
        size_bytes=len(piece),
        payload=payload,
        truncated=truncated,
    )

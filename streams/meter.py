"""The meter: one message of reported usage in, the same events priced out, with minute sums and what was refused.

Pure: no Kafka, no clock, no environment. The same message with the same position, times and prices gives the same
output, byte for byte apart from `metered_at`, so that a message processed twice changes nothing downstream.

Invariants:
- every line that is not blank is either metered or refused, never both, never neither;
- an event without a price is forwarded with `price_status` unpriced and no cost, never with 0;
- money is integers of 10^-12 here and plain decimal strings in the output.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from streams.groups import Span, groups_of
from streams.lines import BadLine, read_lines
from streams.metering import Additions
from streams.records import Columns
from streams.refused import Refused, refused_windows
from streams.windows import CostedGroup, combine, encode_windows
from tokenweir.errors import RejectedInput
from tokenweir.pricing import Priced
from tokenweir.pricing.plain import GroupCost
from tokenweir.usage import Rejection
from tokenweir.usage.event import EARLIEST_TIME, LATEST_AHEAD, SCHEMA_VERSION, TOKEN_FIELDS
from tokenweir.usage.redaction import redact
from tokenweir.usage.rejection import Reason
from tokenweir.usage.version import fullness_by_column
from tokenweir.usage.wire import HEADER_SCHEMA, schema_version_of

MAX_REJECTIONS: Final = 1_000
"""Of one message at most so many lines are refused one by one; one further rejection counts the rest."""

_MAX_KEY_CHARACTERS: Final = 1_100
_MAX_DETAIL_CHARACTERS: Final = 2_000
_EARLIEST_MS: Final = round(EARLIEST_TIME.timestamp() * 1000)
_LATEST_AHEAD_MS: Final = LATEST_AHEAD // timedelta(milliseconds=1) - 60_000
"""Further ahead no window is read; a minute may pass until it is."""

Headers = Sequence[tuple[str, bytes | None]] | None


class Book(Protocol):
    """What prices events: `tokenweir.pricing.PriceBook`, or another with the same answers."""

    def price(self, event: Any) -> Priced:
        """What `event` (anything with UsageEvent's attributes) costs."""
        ...

    def price_group(
        self,
        names: Mapping[str, str],
        earliest: datetime,
        latest: datetime,
        columns: Mapping[str, Sequence[Any]],
    ) -> GroupCost | Priced | None:
        """The same for many calls of one model at once, each or all alike; None where that has to be asked of each."""
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
    refused_windows: as `windows`, for what was refused; of a message that is refused whole each of its lines counts.
    """

    metered: bytes
    event_count: int
    windows: list[tuple[bytes, bytes]]
    rejections: list[Rejection]
    refused_lines: int
    unpriced_count: int
    refused_windows: list[tuple[bytes, bytes]]


_encode_lines: Final = msgspec.json.Encoder().encode_lines
# Taken for each group: of the first sort always, as a 0 says more there than nothing; of the other where stated at all.
_FIGURES: Final = ("input_tokens", "output_tokens", "status", "duration_ms", "ttft_ms", "reported_cost")
_RARER_FIGURES: Final = ("units", *(name for name in TOKEN_FIELDS if name not in _FIGURES))
_NOT_STATED: Final[dict[str, Sequence[Any]]] = dict.fromkeys((*_RARER_FIGURES, "tags"), ())


class Meter:
    """Checks, prices and sums messages with one price book."""

    def __init__(self, book: Book) -> None:
        self._book = book

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
        records, columns, span, bad = read_lines(value, now)
        groups: list[CostedGroup] = []
        if span is not None:
            groups = self._meter(records, columns, span, Additions(reported_at_ms, now))
        return MeterOutput(
            metered=_encode_lines(records)[:-1],
            event_count=len(records),
            windows=encode_windows(combine(groups), position.unique_name),
            rejections=_rejections(bad, position, now),
            refused_lines=len(bad),
            unpriced_count=sum(group.costs_picos.count(None) for group in groups),
            refused_windows=_refused_windows(
                (Refused(line, error.reason) for _, line, error in bad), position, now
            )
            if bad
            else [],
        )

    def _meter(
        self, records: list[Any], columns: Columns, span: Span, additions: Additions
    ) -> list[CostedGroup]:
        """Price the records and write what is added to each into it; the groups that they were priced in."""
        fullness = fullness_by_column(columns)
        names = (*_FIGURES, *(name for name in _RARER_FIGURES if any(columns[name])))
        has_tags = any(columns["tags"])
        costed: list[CostedGroup] = []
        for group in groups_of(columns, span):
            known = group.of(fullness)
            figures = {name: group.of(columns[name]) for name in names}
            stated = {"tags": group.of(columns["tags"])} if has_tags else {}
            together = self._book.price_group(group.names, *span, _NOT_STATED | figures | stated)
            costs: Sequence[int | None]
            if isinstance(together, GroupCost):
                costs = together.cost_picos
                added = additions.of_group(together, known)
            elif together is not None:
                costs = [together.cost_picos] * len(known)
                added = additions.of_like_calls(together, known)
            else:
                each = [self._book.price(records[place]) for place in group.places]
                costs = [priced.cost_picos for priced in each]
                added = map(additions.of_call, each, known)
            for place, text in zip(group.places, map(msgspec.Raw, added), strict=True):
                records[place].metering = text
            costed.append(CostedGroup(group, figures, costs))
        return costed


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
    lines = sum(not line.isspace() for line in value.split(b"\n") if line)
    counted = [Refused(b"", error.reason, max(1, lines))]
    return MeterOutput(b"", 0, [], [rejection], 1, 0, _refused_windows(counted, position, now))


def _refused_windows(
    refused: Iterable[Refused], position: Position, now: datetime
) -> list[tuple[bytes, bytes]]:
    # A producer may give its message any time.
    now_ms = round(now.timestamp() * 1000)
    is_plausible = _EARLIEST_MS <= position.reported_at_ms <= now_ms + _LATEST_AHEAD_MS
    reported_at_ms = position.reported_at_ms if is_plausible else now_ms
    return refused_windows(refused, position.unique_name, position.key, reported_at_ms)


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

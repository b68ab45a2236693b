"""A body's pieces sorted into messages for Kafka and rejections. Pure: the clock comes in as an argument.

Invariant: a bad piece costs itself; its neighbours are taken. A rejection holds nothing that `redact` would not
keep. Limits: of one body MAX_REJECTIONS pieces are kept as rejections, together MAX_KEPT_PAYLOAD_BYTES of what
they said; the rest is counted.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, cast

from producers.delivery.batching import Batcher, Message, workload_of
from tokenweir.errors import RejectedInput
from tokenweir.usage import Rejection, wire
from tokenweir.usage.reading import read_event_line
from tokenweir.usage.redaction import redact
from tokenweir.usage.rejection import Reason

MAX_REJECTIONS: Final = 1_000
MAX_KEPT_PAYLOAD_BYTES: Final = 1024 * 1024
_DETAIL_CHARACTERS: Final = 2_000
_MESSAGE_BYTES: Final = 512 * 1024


@dataclass(slots=True)
class Sorted:
    """What became of a body."""

    messages: list[Message] = field(default_factory=list)
    accepted: int = 0
    rejected: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)


def sort_pieces(pieces: Iterable[tuple[int, bytes]], *, topic: str, now: datetime, origin: str) -> Sorted:
    """Read every piece. origin: names the body, the same when it is sent again; now: UTC."""
    found = Sorted()
    batcher = Batcher(topic)
    payload_room = MAX_KEPT_PAYLOAD_BYTES
    for number, piece in pieces:
        try:
            event = read_event_line(piece, now=now)
        except RejectedInput as refusal:
            found.rejected += 1
            found.reasons[refusal.reason] += 1
            if len(found.rejections) < MAX_REJECTIONS:
                rejection = _rejection(
                    f"gateway/{origin}/{number}", number, piece, refusal, now, payload_room
                )
                payload_room -= len(rejection.payload.encode())
                found.rejections.append(rejection)
        else:
            found.accepted += 1
            found.messages.extend(batcher.add(workload_of(event), wire.encode_event(event), 0.0))
    found.messages.extend(batcher.take_all())
    return found


def rejection_messages(rejections: Iterable[Rejection], topic: str) -> Iterator[Message]:
    """Rejections as messages of NDJSON for the rejected topic."""
    lines: list[bytes] = []
    size_bytes = 0
    for rejection in rejections:
        line = rejection.model_dump_json().encode()
        if lines and size_bytes + len(line) > _MESSAGE_BYTES:
            yield Message(topic, None, b"\n".join(lines), len(lines))
            lines, size_bytes = [], 0
        lines.append(line)
        size_bytes += len(line) + 1
    if lines:
        yield Message(topic, None, b"\n".join(lines), len(lines))


def _rejection(
    identity: str, number: int, piece: bytes, refusal: RejectedInput, now: datetime, payload_room: int
) -> Rejection:
    payload, truncated = redact(piece) if payload_room > 0 else ("", True)
    return Rejection(
        id=identity,
        rejected_at=now,
        stage="gateway",
        reason=cast("Reason", refusal.reason),
        field=refusal.field,
        detail=str(refusal)[:_DETAIL_CHARACTERS],
        line=number,
        size_bytes=len(piece),
        payload=payload,
        truncated=truncated,
    )

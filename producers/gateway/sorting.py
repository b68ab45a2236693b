"""A body's outcomes sorted into messages for Kafka and rejections. Pure: the clock comes in as an argument.

Invariant: a bad piece costs itself; its neighbours are taken. A rejection holds nothing that `redact` would not
keep. Limits: of one body MAX_REJECTIONS pieces are kept as rejections, together MAX_KEPT_PAYLOAD_BYTES of what
they said; the rest is counted.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, cast

from producers.delivery.batching import Batcher, Message, workload_of
from producers.gateway.outcomes import Outcome
from producers.gateway.stated import attributed
from tokenweir.errors import RejectedInput
from tokenweir.usage import Rejection, wire
from tokenweir.usage.redaction import redact
from tokenweir.usage.rejection import Reason

MAX_REJECTIONS: Final = 1_000
MAX_KEPT_PAYLOAD_BYTES: Final = 1024 * 1024
_DETAIL_CHARACTERS: Final = 2_000
_MESSAGE_BYTES: Final = 512 * 1024


@dataclass(slots=True)
class Sorted:
    """What became of a body. accepted: events; rejected: pieces; ignored: pieces that state no call, by reason."""

    messages: list[Message] = field(default_factory=list)
    accepted: int = 0
    rejected: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)


def sort_outcomes(
    outcomes: Iterable[Outcome],
    *,
    topic: str,
    now: datetime,
    origin: str,
    held: Mapping[str, Any],
    tags: Mapping[str, str],
) -> Sorted:
    """Gather every outcome.

    origin: names the body, the same when it is sent again; now: UTC. held: fields that all events get, whatever they
    say, checked before. tags: to be added to each.
    """
    found = Sorted()
    batcher = Batcher(topic)
    payload_room = MAX_KEPT_PAYLOAD_BYTES
    for outcome in outcomes:
        refusal = outcome.refusal
        if refusal is None:
            try:
                events = [attributed(event, held, tags) for event in outcome.events]
            except RejectedInput as error:
                refusal = error
            else:
                for event in events:
                    found.accepted += 1
                    found.messages.extend(batcher.add(workload_of(event), wire.encode_event(event), 0.0))
                if outcome.ignored:
                    found.ignored[outcome.ignored] += 1
                continue
        found.rejected += 1
        found.reasons[refusal.reason] += 1
        if len(found.rejections) < MAX_REJECTIONS:
            rejection = _rejection(f"gateway/{origin}/{outcome.number}", outcome, refusal, now, payload_room)
            payload_room -= len(rejection.payload.encode())
            found.rejections.append(rejection)
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
    identity: str, outcome: Outcome, refusal: RejectedInput, now: datetime, payload_room: int
) -> Rejection:
    payload, truncated = redact(outcome.piece) if payload_room > 0 else ("", True)
    return Rejection(
        id=identity,
        rejected_at=now,
        stage="gateway",
        reason=cast("Reason", refusal.reason),
        field=refusal.field,
        detail=str(refusal)[:_DETAIL_CHARACTERS],
        line=outcome.number,
        size_bytes=outcome.size_bytes,
        payload=payload,
        truncated=truncated,
    )

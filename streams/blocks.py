"""Blocks: the lines of several Kafka messages that go to the store as one, and the search for a line it refuses.

A block's token follows from which messages it holds: topic, partition, first and last offset, Kafka's times of
these and the number of bytes. The times are in it because a broker that keeps nothing starts at offset 0 again,
and a store would take its first block for the one of last time.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from streams.meter import Position
from streams.progress import Ticket
from tokenweir.errors import RejectedInput, StoreUnavailable

MAX_REFUSED: Final = 100
"""With more refused lines in one block than this, it is not the lines that are wrong."""

Write = Callable[[bytes, str], None]


class Gathered(NamedTuple):
    """One message that waits to be written. `lines` has no line end at its end."""

    ticket: Ticket
    position: Position
    lines: bytes
    line_count: int


class Refused(NamedTuple):
    """A line that the store does not take."""

    position: Position
    number: int
    line: bytes
    error: RejectedInput


def block_token(messages: Sequence[Gathered]) -> str:
    """The block's name: the same for the same messages, whoever writes them and however often."""
    spans: dict[tuple[str, int], list[int]] = {}
    for message in messages:
        position = message.position
        span = spans.setdefault(
            (position.topic, position.partition),
            [position.offset, position.offset, position.reported_at_ms, position.reported_at_ms, 0],
        )
        span[1], span[3] = position.offset, position.reported_at_ms
        span[4] += len(message.lines)
    described = ";".join(
        f"{topic}-{partition}-{first}..{last}@{first_ms}..{last_ms}+{size}"
        for (topic, partition), (first, last, first_ms, last_ms, size) in sorted(spans.items())
    )
    return hashlib.blake2b(described.encode(), digest_size=16).hexdigest()


def write_block(write: Write, messages: Sequence[Gathered]) -> list[Refused]:
    """Write the messages' lines as one block. Blocks the thread.

    Lines that the store refuses are found by halving the block, and returned; all others are written. Raises
    StoreUnavailable, when the whole block has to be offered again; also where the store refuses more than
    MAX_REFUSED lines, since then something else is wrong than the lines.
    """
    token = block_token(messages)
    try:
        write(b"\n".join(message.lines for message in messages), token)
    except RejectedInput:
        lines = [
            (message.position, number, line)
            for message in messages
            for number, line in enumerate(message.lines.split(b"\n"))
        ]
    else:
        return []
    refused: list[Refused] = []
    _halve(write, lines, token, 0, refused)
    return refused


def _halve(
    write: Write,
    lines: list[tuple[Position, int, bytes]],
    token: str,
    start: int,
    refused: list[Refused],
) -> None:
    """Write what can be written of lines that were refused together."""
    middle = (len(lines) + 1) // 2
    for part, first in ((lines[:middle], start), (lines[middle:], start + middle)):
        if not part:
            continue
        try:
            write(b"\n".join(line for _, _, line in part), f"{token}/{first}+{len(part)}")
        except RejectedInput as error:
            if len(part) > 1:
                _halve(write, part, token, first, refused)
                continue
            position, number, line = part[0]
            refused.append(Refused(position, number, line, error))
            if len(refused) > MAX_REFUSED:
                raise StoreUnavailable(
                    f"the store refuses more than {MAX_REFUSED} lines of one block, the last because: {error.message}",
                    hint="Is its schema up to date? Run `weir migrate`",
                    retry_after_seconds=5.0,
                ) from error

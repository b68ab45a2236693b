"""A streamed answer's bytes, cut into its events as they come: server-sent events, lines of JSON, AWS event frames.

`framing_of` finds the cutter for a content type. A cutter's `feed` takes any piece of the bytes and gives the JSON
texts of the events that are whole now; nothing is decoded but what an AWS frame packs.

Invariants: at most MAX_EVENT_BYTES are held of what is not whole yet; a larger event is left out, its neighbours are
given. No cutter raises for what it is fed. `ended` says that the vendor's own mark of the end was seen.
Sources: WHATWG HTML, 9.2.6 (server-sent events); Amazon's "vnd.amazon.eventstream" encoding as botocore 1.44
(`eventstream.py`) decodes it.
"""

import base64
import binascii
import json
import re
import struct
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

MAX_EVENT_BYTES: Final = 16 * 1024 * 1024

_LINE_END: Final = re.compile(rb"\r\n|\n|\r")


class Framing(Protocol):
    """Cuts a body into its events."""

    ended: bool

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The JSON texts of the events that `data` completes."""

    def close(self) -> Iterator[bytes]:
        """The JSON text of what is whole without more to come."""


class _Lines:
    """Lines that end in LF, CRLF or CR. A CR at the end of what came waits for what may be its LF."""

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._has_cr = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._has_cr:
            data = b"\r" + data
        self._has_cr = data.endswith(b"\r")
        if self._has_cr:
            data = data[:-1]
        *whole, rest = _LINE_END.split(data)
        for line in whole:
            yield self._complete(line)
        self._hold(rest)

    def close(self) -> bytes:
        self._has_cr = False
        return self._complete(b"")

    def _hold(self, piece: bytes) -> None:
        self._held_bytes += len(piece)
        if self._held_bytes <= MAX_EVENT_BYTES:
            self._held.append(piece)
        else:
            self._held.clear()

    def _complete(self, piece: bytes) -> bytes:
        """The line that `piece` ends; empty where it is too long."""
        self._hold(piece)
        line = b"".join(self._held)
        self._held, self._held_bytes = [], 0
        return line


class ServerSentEvents:
    """`data:` lines up to a blank one; `[DONE]` is the end."""

    def __init__(self) -> None:
        self.ended = False
        self._lines = _Lines()
        self._data: list[bytes] = []
        self._data_bytes = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        for line in self._lines.feed(data):
            yield from self._take(line)

    def close(self) -> Iterator[bytes]:
        yield from self._take(self._lines.close())
        yield from self._take(b"")

    def _take(self, line: bytes) -> Iterator[bytes]:
        if line.startswith(b"data:"):
            value = line[6:] if line.startswith(b"data: ") else line[5:]
            self._data_bytes += len(value)
            if self._data_bytes <= MAX_EVENT_BYTES:
                self._data.append(value)
        elif not line and (self._data or self._data_bytes):
            event, fits = b"\n".join(self._data).strip(), self._data_bytes <= MAX_EVENT_BYTES
            self._data, self._data_bytes = [], 0
            if event == b"[DONE]":
                self.ended = True
            elif event and fits:
                yield event


class JsonLines:
    """One event a line."""

    def __init__(self) -> None:
        self.ended = False
        self._lines = _Lines()

    def feed(self, data: bytes) -> Iterator[bytes]:
        for line in self._lines.feed(data):
            if line.strip():
                yield line

    def close(self) -> Iterator[bytes]:
        rest = self._lines.close().strip()
        if rest:
            yield rest


class AwsEventFrames:
    """Frames of `application/vnd.amazon.eventstream`.

    An event of ConverseStream becomes `{"<its type>": <its payload>}`, as boto3 gives it. A chunk of
    InvokeModelWithResponseStream holds the model's own JSON, which is what it becomes. An exception becomes
    `{"error": {"code": "<its type>"}}`. A frame whose checksum is wrong ends the reading, as it does in botocore.
    """

    _PRELUDE = struct.Struct("!III")

    def __init__(self) -> None:
        self.ended = False
        self._held = bytearray()
        self._is_broken = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._is_broken:
            return
        self._held += data
        while len(self._held) >= self._PRELUDE.size:
            total, headers_length, checksum = self._PRELUDE.unpack_from(self._held)
            if (
                binascii.crc32(self._held[:8]) != checksum
                or not 16 + headers_length <= total <= MAX_EVENT_BYTES + 16 + headers_length
            ):
                self._is_broken = True
                self._held.clear()
                return
            if len(self._held) < total:
                return
            frame = bytes(self._held[:total])
            del self._held[:total]
            if binascii.crc32(frame[:-4]) != int.from_bytes(frame[-4:], "big"):
                self._is_broken = True
                self._held.clear()
                return
            event = _event_of_frame(frame[12 : 12 + headers_length], frame[12 + headers_length : -4])
            if event:
                yield event

    def close(self) -> Iterator[bytes]:
        return iter(())


def _event_of_frame(headers: bytes, payload: bytes) -> bytes:
    names = dict(_frame_headers(headers))
    if names.get(":message-type") in ("exception", "error"):
        code = names.get(":exception-type") or names.get(":error-code") or "error"
        return json.dumps({"error": {"code": code}}).encode()
    kind = names.get(":event-type", "")
    if kind != "chunk":
        return b"{%s:%s}" % (json.dumps(kind).encode(), payload) if kind and payload else b""
    try:
        return base64.b64decode(json.loads(payload)["bytes"])
    except (ValueError, KeyError, TypeError):
        return b""


_FIXED_LENGTHS: Final = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of a header's value, by type; types 6 (bytes) and 7 (text) state their length."""


def _frame_headers(data: bytes) -> Iterator[tuple[str, str]]:
    """The headers whose value is text."""
    at = 0
    while at < len(data):
        name_length = data[at]
        name = data[at + 1 : at + 1 + name_length].decode("utf-8", "replace")
        at += 1 + name_length
        if at >= len(data):
            return
        kind = data[at]
        at += 1
        if kind in (6, 7):
            length = int.from_bytes(data[at : at + 2], "big")
            if kind == 7:
                yield name, data[at + 2 : at + 2 + length].decode("utf-8", "replace")
            at += 2 + length
        elif kind in _FIXED_LENGTHS:
            at += _FIXED_LENGTHS[kind]
        else:
            return


_FRAMINGS: Final[tuple[tuple[str, Callable[[], Framing]], ...]] = (
    ("text/event-stream", ServerSentEvents),
    ("application/vnd.amazon.eventstream", AwsEventFrames),
    ("application/x-ndjson", JsonLines),
    ("application/jsonl", JsonLines),
    ("application/stream+json", JsonLines),
)


def framing_of(content_type: str) -> Framing | None:
    """The cutter for a body of this content type; None where it is not a stream of events."""
    plain = content_type.partition(";")[0].strip().lower()
    for known, make in _FRAMINGS:
        if plain == known:
            return make()
    return None


_STATES_USAGE: Final = re.compile(rb'usage"\s*:\s*[^n\s]|[mM]etadata"|[mM]etrics"|"error"')
_DELTA: Final = re.compile(rb'\s*\{[^{}\[\]]{0,200}?"type"\s*:\s*"(?!message_)[a-z_.-]*delta"')
_GOES_ON: Final = re.compile(rb'"finish_reason"\s*:\s*null')
_ENDS: Final = re.compile(rb'"finish_reason"\s*:\s*[^n\s]')


def carries_text_alone(event: bytes) -> bool:
    """Whether an event is one of the many that carry a piece of the answer and nothing that is counted.

    Told without decoding it; quotes within its text are escaped, so that no text looks like a member. What is not sure
    is False.
    """
    if _STATES_USAGE.search(event):
        return False
    if _DELTA.match(event):
        return True
    return _GOES_ON.search(event) is not None and _ENDS.search(event) is None


def bears_content(event: Any) -> bool:
    """Whether a decoded event of a stream holds something of the answer: text, thought, a call of a tool, sound.

    What only announces it (a role, an empty part, a state) does not count as a first token.
    """
    if not isinstance(event, dict):
        return False
    kind = event.get("type")
    if isinstance(kind, str):
        return ("delta" in kind and kind != "message_delta") or "partial_image" in kind
    if "contentBlockDelta" in event or event.get("event_type") in (
        "text-generation",
        "tool-calls-generation",
    ):
        return True
    choices = event.get("choices")
    if isinstance(choices, list):
        return any(map(_choice_bears_content, choices))
    candidates = event.get("candidates")
    if isinstance(candidates, list):
        return any(isinstance(one, dict) and _has(one.get("content"), "parts") for one in candidates)
    return any(event.get(name) for name in ("generation", "outputText", "completion", "outputs", "text"))


def _choice_bears_content(choice: Any) -> bool:
    if not isinstance(choice, dict):
        return False
    if choice.get("text"):
        return True
    said = choice.get("delta") or choice.get("message")
    return isinstance(said, dict) and any(
        value for name, value in said.items() if name not in ("role", "name", "index")
    )


def _has(holder: Any, name: str) -> bool:
    return isinstance(holder, dict) and bool(holder.get(name))

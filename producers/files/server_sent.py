"""Streamed answers out of server-sent events, as they come over the wire or were saved.

Fed line by line; gives each answer's decoded chunks when it is over: at `[DONE]`, where an event says that it begins
another answer or that it ends one after an end, where the id of a chat's chunks changes, or when the text ends.
Invariants: of the text only `data` counts; what is no JSON object is left out, except broken JSON, which is told.
Limits: an answer may take MAX_ANSWER_BYTES; its chunks are held until it is over.
Source: the event stream format of the HTML standard (WHATWG), 9.2.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from producers.files.rows import json_object
from tokenweir.errors import RejectedInput

MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024

_FIELDS: Final = (b"data:", b"event:", b"id:", b"retry:", b":")
_DONE: Final = b"[DONE]"
_STARTS: Final = ("message_start", "message-start", "response.created", "interaction.created", "stream-start")
_ENDS: Final = (
    "message_stop",
    "message-end",
    "stream-end",
    "response.completed",
    "response.incomplete",
    "response.failed",
    "interaction.completed",
)


class StreamedAnswer(NamedTuple):
    """first_line: the number of the line at which it began. problem: why what follows could not be read."""

    first_line: int
    chunks: list[dict[str, Any]]
    problem: RejectedInput | None = None


def is_event_line(line: bytes) -> bool:
    """Whether a line that is not blank is one of server-sent events; a JSON line never is."""
    return line.startswith(_FIELDS) or line.rstrip() == _DONE


class ServerSentAnswers:
    """What was fed and is not over yet."""

    def __init__(self) -> None:
        self._chunks: list[dict[str, Any]] = []
        self._first_line = 0
        self._size_bytes = 0
        self._ended = False
        self._id = ""
        self._part: list[bytes] = []
        self._part_line = 0

    def feed(self, number: int, line: bytes) -> list[StreamedAnswer]:
        """The answers that are over with this line (not blank), mostly none."""
        content = line.strip()
        if content != _DONE:
            name, _, content = content.partition(b":")
            if name != b"data":
                return []
            content = content.strip()
        if content == _DONE:
            return self.close()
        if not content:
            return []
        return self._take(number, content)

    def end_of_event(self) -> list[StreamedAnswer]:
        """A blank line: what was told by several lines of data is whole, or broken."""
        if not self._part:
            return []
        part, self._part = b"\n".join(self._part), []
        try:
            chunk = json_object(part)
        except RejectedInput as problem:
            return [StreamedAnswer(self._part_line, [], problem)]
        return self._add(self._part_line, chunk)

    def close(self) -> list[StreamedAnswer]:
        """The answers that end here: at most one, and what was broken."""
        over = self.end_of_event()
        chunks, self._chunks = self._chunks, []
        self._ended, self._id, self._size_bytes = False, "", 0
        return [*over, *([StreamedAnswer(self._first_line, chunks)] if chunks else [])]

    def _take(self, number: int, data: bytes) -> list[StreamedAnswer]:
        self._size_bytes += len(data)
        if self._size_bytes > MAX_ANSWER_BYTES:
            self._chunks, self._part, self._size_bytes = [], [], 0
            problem = RejectedInput("too_large", f"the answer has more than {MAX_ANSWER_BYTES} bytes")
            return [StreamedAnswer(number, [], problem)]
        if self._part:
            self._part.append(data)
            return []
        if not data.startswith(b"{"):
            return []
        try:
            return self._add(number, json_object(data))
        except RejectedInput:
            # One object may be told by several lines of data, up to the blank line.
            self._part, self._part_line = [data], number
            return []

    def _add(self, number: int, chunk: dict[str, Any]) -> list[StreamedAnswer]:
        done = self.close() if self._begins_another(chunk) else []
        if not self._chunks:
            self._first_line = number
        self._chunks.append(chunk)
        self._ended = self._ended or _is_end(chunk)
        self._id = self._id or _chat_id(chunk)
        return done

    def _begins_another(self, chunk: Mapping[str, Any]) -> bool:
        if not self._chunks:
            return False
        own = _chat_id(chunk)
        return (
            _is_start(chunk) or (self._ended and _is_end(chunk)) or bool(self._id and own and own != self._id)
        )


def _kind(chunk: Mapping[str, Any]) -> Any:
    return chunk.get("type") or chunk.get("event_type")


def _is_start(chunk: Mapping[str, Any]) -> bool:
    response = chunk.get("response")
    if isinstance(response, Mapping) and response.get("object") == "realtime.response":
        return False
    return _kind(chunk) in _STARTS or "messageStart" in chunk


def _is_end(chunk: Mapping[str, Any]) -> bool:
    metadata = chunk.get("metadata")
    return _kind(chunk) in _ENDS or (isinstance(metadata, Mapping) and "usage" in metadata)


def _chat_id(chunk: Mapping[str, Any]) -> str:
    if "choices" in chunk:
        found = chunk.get("id")
    elif "candidates" in chunk or "usageMetadata" in chunk:
        found = chunk.get("responseId")
    else:
        return ""
    return found if isinstance(found, str) else ""

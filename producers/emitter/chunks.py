"""What is kept of a stream's chunks until the call ends: what states usage, never text, in bounded memory.

A merger of `producers.vendors` looks at the usage objects, at ids, models and types, and at how the stream ended. So
of each chunk a skeleton is kept, in which every string is empty that is not of the kind that such a field holds (in an
array a number stands in its place, so that searches can be told apart and counted); and of a run of chunks with
skeletons of one shape that state no usage, the first alone.

Invariants: at most MAX_FIRST + MAX_LAST skeletons are held, of at most MAX_ITEMS values each; counts that a
vendor repeats in every chunk are running totals, so that the last ones hold what those between them held.
"""

import json
import re
from collections import deque
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from producers.emitter.bodies import as_mapping

MAX_FIRST: Final = 32
MAX_LAST: Final = 224
MAX_ITEMS: Final = 2_000
_MAX_DEPTH: Final = 12
_MAX_WORD: Final = 256
_MAX_NESTED_TEXT: Final = 64 * 1024

_USAGE_KEY: Final = re.compile(r"usage|token|metric|billed|cost|_count$|duration", re.I)
_WORD_KEY: Final = re.compile(
    r"(^|_)(id|ids|model|version|type|object|status|state|reason|tier|event|role|code|region|currency"
    r"|provider|modality|at|time|created|date|kind|size|resolution|quality)$|Id$|Reason$|Version$|Time$|Type$|Tier$",
    re.I,
)
_TIME_KEY: Final = re.compile(r"(^|_)(at|time|created|date|timestamp|sequence_number)$|Time$", re.I)


class KeptChunks:
    """The chunks of one stream, as far as they matter. Used by one thread at a time."""

    def __init__(self) -> None:
        self._first: list[dict[str, Any]] = []
        self._last: deque[dict[str, Any]] = deque(maxlen=MAX_LAST)
        self._shape: object = None

    def __bool__(self) -> bool:
        return bool(self._first)

    def add(self, chunk: Any) -> None:
        """Take the next chunk, of whatever type the vendor's client has. Never raises."""
        try:
            if self._first and _is_plain(chunk):
                return
            kept, states_usage = skeleton(as_mapping(chunk))
        except Exception:  # noqa: BLE001 - a foreign object; what the others state is counted without it
            return
        shape = None if states_usage else _shape(kept)
        if shape is not None and shape == self._shape:
            return
        self._shape = shape
        if len(self._first) < MAX_FIRST:
            self._first.append(kept)
        else:
            self._last.append(kept)

    @property
    def chunks(self) -> Sequence[Mapping[str, Any]]:
        """In order."""
        return [*self._first, *self._last]


def skeleton(chunk: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """`chunk` without what could be text, and whether it states usage."""
    found = _Skeleton()
    return found.of_object(chunk, False, 0), found.states_usage


class _Skeleton:
    def __init__(self) -> None:
        self.states_usage = False
        self._items = 0

    def of_object(self, value: Mapping[str, Any], in_usage: bool, depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for key, content in value.items():
            if content is None or type(key) is not str or len(key) > _MAX_WORD or self._items > MAX_ITEMS:
                continue
            is_usage = in_usage or _USAGE_KEY.search(key) is not None
            keeps_words = is_usage or _WORD_KEY.search(key) is not None
            kept[key] = self._of(content, is_usage, keeps_words, depth + 1)
        return kept

    def _of(self, value: Any, in_usage: bool, keeps_words: bool, depth: int) -> Any:
        self._items += 1
        if isinstance(value, str):
            if value.startswith("{") and len(value) <= _MAX_NESTED_TEXT:
                return self._of_text(value, depth)
            return value if keeps_words and len(value) <= _MAX_WORD else ""
        if isinstance(value, bool):
            return value
        if isinstance(value, Mapping):
            return self.of_object(value, in_usage, depth) if depth < _MAX_DEPTH else {}
        if isinstance(value, list | tuple):
            if depth >= _MAX_DEPTH:
                return []
            room = max(MAX_ITEMS - self._items, 0)
            return [
                f"#{hash(item):x}"
                if isinstance(item, str) and not keeps_words
                else self._of(item, in_usage, keeps_words, depth + 1)
                for item in value[:room]
            ]
        if isinstance(value, bytes | bytearray):
            return ""
        if not isinstance(value, int | float | Decimal):
            return ""
        self.states_usage = self.states_usage or in_usage
        return value

    def _of_text(self, text: str, depth: int) -> str:
        """Of an object that a vendor sends as text (Coze's events): its skeleton, as text again."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return ""
        return json.dumps(self.of_object(value, False, depth)) if isinstance(value, dict) else ""


def _shape(value: Any) -> object:
    """What two chunks that differ in nothing but figures and times have in common."""
    if isinstance(value, dict):
        return tuple((key, None if _TIME_KEY.search(key) else _shape(item)) for key, item in value.items())
    if isinstance(value, list):
        return tuple(_shape(item) for item in value)
    return value if isinstance(value, str | bool) else None


def _is_plain(chunk: Any) -> bool:
    """Whether it is one of the many that carry text alone; told without converting it."""
    fields = chunk if type(chunk) is dict else getattr(chunk, "__dict__", None)
    if type(fields) is not dict or fields.get("usage") is not None:
        return False
    if type(chunk) is not dict and getattr(chunk, "__pydantic_extra__", None):
        return False
    kind = fields.get("type")
    if type(kind) is str:
        return kind.endswith("delta") and kind != "message_delta"
    choices = fields.get("choices")
    if type(choices) is not list or not choices or not fields.keys() <= _CHUNK_FIELDS:
        return False
    return all(_finish_reason(choice) is None for choice in choices)


_CHUNK_FIELDS: Final = frozenset(
    {
        "id",
        "object",
        "created",
        "model",
        "choices",
        "usage",
        "system_fingerprint",
        "service_tier",
        "obfuscation",
    }
)
"""Of a chat completion's chunk. One with other fields is looked into."""


def _finish_reason(choice: Any) -> Any:
    return choice.get("finish_reason") if type(choice) is dict else getattr(choice, "finish_reason", None)

"""What a request says about its call: the model it asks for. Read without decoding what it asks.

The prompt is most of a request, and the model may come after it. So strings and nesting are skipped by a regular
expression, and only the values of the outermost object's named members are taken.

Invariants: never raises for a body; gives nothing but short words that stand as values of the names that are asked for.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

MAX_BODY_BYTES: Final = 32 * 1024 * 1024
_MAX_WORD: Final = 256

_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]]', re.DOTALL)
_VALUE: Final = re.compile(rb'[ \t\r\n]*:[ \t\r\n]*(?:"([^"\\]{0,256})"|(true|false))')
_OPENING: Final = (b"{", b"[")


def outermost_words(body: bytes, names: Iterable[str]) -> dict[str, str]:
    """The strings, and true and false as such, that the outermost object of a JSON text has under `names`.

    A string of more than 256 characters or with escapes in it is left out: no model is called so.
    """
    wanted = {f'"{name}"'.encode(): name for name in names}
    found: dict[str, str] = {}
    for text, end in _outermost(body):
        if text in wanted:
            value = _VALUE.match(body, end)
            if value is not None:
                word = value[1] if value[1] is not None else value[2]
                found[wanted[text]] = word.decode("utf-8", "replace")
                if len(found) == len(wanted):
                    break
    return found


def outermost_names(body: bytes) -> set[str]:
    """The names of the members of the outermost object of a JSON text, and strings that stand there as values."""
    return {text[1:-1].decode("utf-8", "replace") for text, _ in _outermost(body) if len(text) <= _MAX_WORD}


def _outermost(body: bytes) -> Iterator[tuple[bytes, int]]:
    """The strings of the outermost object, quotes included, and where each ends."""
    depth = 0
    if len(body) > MAX_BODY_BYTES:
        return
    for token in _TOKEN.finditer(body):
        text = token[0]
        if text in _OPENING:
            depth += 1
        elif len(text) == 1:
            depth -= 1
        elif depth == 1:
            yield text, token.end()


def words_of(body: Any, names: Iterable[str]) -> dict[str, str]:
    """The same of a body that is at hand as an object or as JSON text."""
    if isinstance(body, bytes | bytearray):
        return outermost_words(bytes(body), names)
    if isinstance(body, str):
        return outermost_words(body.encode("utf-8", "replace"), names)
    if isinstance(body, Mapping):
        return {
            name: str(body[name]).lower() if isinstance(body[name], bool) else body[name]
            for name in names
            if isinstance(body.get(name), str | bool) and len(str(body[name])) <= _MAX_WORD
        }
    return {}


def form_words(stream: Any, names: Iterable[str]) -> dict[str, str]:
    """The same of a form with files, as httpx and httpx2 hold it: the fields of its stream, none of which is read."""
    found: dict[str, str] = {}
    for field in getattr(stream, "fields", ()):
        name, value = getattr(field, "name", None), getattr(field, "value", None)
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if isinstance(name, str) and name in names and isinstance(value, str) and len(value) <= _MAX_WORD:
            found[name] = value
    return found


def spoken_units(body: bytes) -> dict[str, Decimal]:
    """How many characters a request for speech asks to speak, by which OpenAI's tts models are billed."""
    try:
        text = json.loads(body)["input"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return {}
    return {"characters": Decimal(len(text))} if isinstance(text, str) and text else {}

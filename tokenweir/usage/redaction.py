"""What may be kept of a refused piece: its shape and its figures, never a prompt, an answer or a key.

The rule is a list of what is harmless, not of what is harmful: the fields of UsageEvent keep values of the form
that such a field has (a number, a time, a short name); every other value, and every nested one, is replaced by its
kind and size. Of a piece that is no JSON a skeleton is kept in which each run of letters and digits is replaced
by its length, apart from `"field": value` pairs of the known fields.

Invariants: never raises; reads at most MAX_READ_BYTES and MAX_READ_LINES of a piece; gives at most MAX_KEPT_BYTES.
Limits: a short text that somebody puts into a name field (`team`, `user`, …) of an otherwise readable object is
taken for the name that it claims to be.
"""

import json
import re
from typing import Any, Final

from pydantic_core import from_json

from tokenweir.usage.event import UsageEvent
from tokenweir.usage.rejection import MAX_KEPT_BYTES

MAX_READ_BYTES: Final = 4 * MAX_KEPT_BYTES
MAX_READ_LINES: Final = 1_000
MAX_KEPT_FIELDS: Final = 64

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}")
_PHRASE = re.compile(r"[^\x00-\x1f\x7f\"\\]{0,128}")
_WORD = re.compile(r"[^\s\x00-\x1f\x7f\"'\\]{0,256}")
_TIME = re.compile(r"[0-9TZtz:.+\- ]{0,40}")
_NUMERAL = re.compile(r"[0-9eE.+\-]{0,40}")
_KEY_LIKE = re.compile(r"^(sk-|pk-|key-|AIza|AKIA|Bearer\b|xai-|gsk_)|[A-Za-z0-9_\-]{32,}")

_PHRASE_FIELDS: Final = ("tenant", "team", "project", "service", "user", "model", "requested_model")
_WORD_FIELDS: Final = (
    "id",
    "source",
    "environment",
    "api_key",
    "session",
    "vendor",
    "operation",
    "region",
    "service_tier",
    "status",
    "error_code",
    "reported_currency",
)
_FORMS: Final[dict[str, re.Pattern[str]]] = {
    **dict.fromkeys(UsageEvent.model_fields, _NUMERAL),
    **dict.fromkeys(_PHRASE_FIELDS, _PHRASE),
    **dict.fromkeys(_WORD_FIELDS, _WORD),
    "time": _TIME,
}
"""By field of UsageEvent: what a string there must look like to be kept. A number stands in every other field."""

# In a piece that is no JSON a quoted string is not surely where it seems to be, so fewer fields keep one.
_SKELETON_WORD_FIELDS: Final = (
    "id",
    "source",
    "vendor",
    "model",
    "operation",
    "service_tier",
    "status",
    "region",
)
_SKELETON_PAIR = re.compile(
    r'(?<!\\)"(?:'
    rf'(?:{"|".join(_SKELETON_WORD_FIELDS)})"\s{{0,8}}:\s{{0,8}}"[A-Za-z0-9_.:/@+\-]{{0,128}}"'
    r'|time"\s{0,8}:\s{0,8}"[0-9TZtz:.+\-]{0,40}"'
    rf'|(?:{"|".join(UsageEvent.model_fields)})"\s{{0,8}}:\s{{0,8}}'
    r"(?:true|false|null|-?[0-9.]{1,20}(?:[eE][+\-]?[0-9]{1,3})?)(?=[\s,}\]]|$)"
    rf'|(?:{"|".join(UsageEvent.model_fields)})"(?=\s{{0,8}}:)'
    r")"
)
# Runs of anything but blanks and ASCII punctuation: letters and digits of every script, emoji, control characters.
_RUN = re.compile(r"[^\s!-/:-@\[-`{-~]+")


def redact(piece: bytes) -> tuple[str, bool]:
    """What may be kept of `piece`, and whether part of it was cut off.

    Takes one line or a whole message of lines; a line of JSON stays JSON.
    """
    if len(piece) <= MAX_READ_BYTES:
        found, value = _parsed(piece)
        if found:
            return _kept_value(value)
    kept: list[str] = []
    room = MAX_KEPT_BYTES
    cut = len(piece) > MAX_READ_BYTES
    lines = piece[:MAX_READ_BYTES].split(b"\n", MAX_READ_LINES)
    if len(lines) > MAX_READ_LINES:
        cut = True
        del lines[MAX_READ_LINES:]
    for line in lines:
        found, value = _parsed(line)
        text, line_cut = _kept_value(value) if found else (_skeleton(line), False)
        cut = cut or line_cut
        encoded = text.encode()
        if len(encoded) > room:
            kept.append(encoded[:room].decode(errors="ignore"))
            cut = True
            break
        kept.append(text)
        room -= len(encoded) + 1
        if room <= 0:
            cut = cut or len(kept) < len(lines)
            break
    return "\n".join(kept), cut


def _parsed(text: bytes) -> tuple[bool, Any]:
    if not text.strip():
        return False, None
    try:
        return True, from_json(text, cache_strings="none")
    except (ValueError, RecursionError):
        return False, None


def _kept_value(value: Any) -> tuple[str, bool]:
    if not isinstance(value, dict):
        return json.dumps(_size_of(value)), False
    kept: dict[str, Any] = {}
    dropped = 0
    for name, content in value.items():
        if len(kept) >= MAX_KEPT_FIELDS and name not in _FORMS:
            dropped += 1
            continue
        form = _FORMS.get(name)
        if form is not None:
            kept[name] = _kept_field(name, content, form)
        elif _PLAIN_NAME.fullmatch(name):
            kept[name] = _size_of(content)
        else:
            kept[f"[name, {len(name)} characters, no. {len(kept)}]"] = _size_of(content)
    if dropped:
        kept["[more]"] = f"[{dropped} more fields]"
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")), bool(dropped)


def _kept_field(name: str, content: Any, form: re.Pattern[str]) -> Any:
    if content is None or isinstance(content, bool):
        return content
    if isinstance(content, int):
        return content if abs(content) < 10**18 else _size_of(content)
    if isinstance(content, float):
        return content if abs(content) < 10**18 else _size_of(content)  # false for a NaN too
    if isinstance(content, str) and form.fullmatch(content):
        if name == "api_key" and _KEY_LIKE.search(content):
            return _size_of(content)
        return content
    if name == "units" and isinstance(content, dict) and len(content) <= MAX_KEPT_FIELDS:
        return {
            meter if _PLAIN_NAME.fullmatch(meter) else f"[name, {len(meter)} characters]": _kept_field(
                "", amount, _NUMERAL
            )
            for meter, amount in content.items()
        }
    return _size_of(content)


def _size_of(content: Any) -> str:
    if isinstance(content, str):
        return f"[string, {len(content)} characters]"
    if isinstance(content, dict):
        return f"[object, {len(content)} fields]"
    if isinstance(content, list):
        return f"[array, {len(content)} items]"
    if content is None:
        return "[null]"
    return "[boolean]" if isinstance(content, bool) else "[number]"


def _skeleton(line: bytes) -> str:
    text = line.decode(errors="replace")
    pieces: list[str] = []
    end = 0
    for pair in _SKELETON_PAIR.finditer(text):
        pieces.append(_masked(text[end : pair.start()]))
        pieces.append(pair.group())
        end = pair.end()
    pieces.append(_masked(text[end:]))
    return "".join(pieces)


def _masked(text: str) -> str:
    return _RUN.sub(lambda run: f"<{len(run.group())}>", text)

"""What is kept of a refused piece: shape and figures, never contents."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenweir.usage.redaction import redact
from tokenweir.usage.rejection import MAX_KEPT_BYTES

_CANARY = "ZEBRA7431"
_HARMLESS = {
    "id": "openai:chatcmpl-1",
    "time": "2026-05-01T10:00:00Z",
    "vendor": "openai",
    "model": "gpt-4o",
    "team": "Data Science",
    "input_tokens": 12,
    "duration_ms": 1.5,
    "streaming": True,
    "session": None,
    "units": {"images": 2, "audio_seconds": "1.50"},
}


def test_a_readable_object_keeps_the_known_fields_and_the_sizes_of_the_others() -> None:
    piece = {
        **_HARMLESS,
        "prompt": _CANARY,
        "messages": [{"role": "user", "content": _CANARY}] * 2,
        "n": 5,
        "tags": {"a": _CANARY},
        "output_tokens": _CANARY,
        "error_code": f"the prompt {_CANARY} is not allowed",
        "api_key": "sk-proj-abcdef",
        f"{_CANARY} as a name": {},
    }
    text, truncated = redact(json.dumps(piece).encode())
    assert not truncated
    assert json.loads(text) == {
        **_HARMLESS,
        "prompt": "[string, 9 characters]",
        "messages": "[array, 2 items]",
        "n": "[number]",
        "tags": "[object, 1 fields]",
        "output_tokens": "[string, 9 characters]",
        "error_code": "[string, 35 characters]",
        "api_key": "[string, 14 characters]",
        "[name, 19 characters, no. 17]": "[object, 0 fields]",
    }


def test_an_unreadable_piece_keeps_its_skeleton() -> None:
    text, truncated = redact(
        b'{"model":"gpt-4o","prompt":"Hello, ZEBRA7431 \xe4\xbd\xa0\xe5\xa5\xbd","input_tokens":12,'
    )
    assert (text, truncated) == ('{"model":"gpt-4o","<6>":"<5>, <9> <2>","input_tokens":12,', False)


@pytest.mark.parametrize(
    "piece",
    [
        '{{"prompt": "{0}", "id": ',
        "{{'prompt': '{0}', 'model': '{0}'}}",
        '{{"prompt": "he said \\"model\\": \\"{0}\\" and left"',
        '{{"messages": [{{"content": "{0}"}}, {{"content": "\\n{0}"}}',
        '{{"user": "{0} is what I asked", "id": "a" "b"}}',
        "{0}",
        "INFO request prompt={0} answer={0}",
        '["{0}", {{"model": ["{0}"]}}]',
        '"{0}"',
        '{{"input_tokens": "{0}"}}',
        '{{"units": {{"{0} x": "{0}"}}}}',
        '{{"time": "{0}"}}\n{{"prompt": "{0}"}}\n{{"broken": "{0}',
    ],
)
def test_no_content_is_kept(piece: str) -> None:
    for contents in (_CANARY, f"two {_CANARY} words", f"{_CANARY}_{_CANARY}", f"\u4f60{_CANARY}\U0001f600"):
        text, _ = redact(piece.format(contents).encode())
        assert _CANARY not in text
        assert "\u4f60" not in text
        assert "\U0001f600" not in text


@pytest.mark.parametrize(
    "piece",
    [
        b'{"a":"' + b"x" * 20_000_000,
        b'"' * 20_000_000,
        b'"model":' * 2_000_000,
        b'"id":        ' * 100_000,
        b"[" * 1_000_000,
        b'{"a":' * 100_000,
        b"\n" * 1_000_000,
        b"{}\n" * 1_000_000,
        b"{" + b",".join(b'"k%d":1' % number for number in range(1_000_000)) + b"}",
        b"1" * 100_000,
        b"\xff\xfe\x00" * 100_000,
        (json.dumps(_HARMLESS).encode() + b"\n") * 10_000,
    ],
    ids=range(12),
)
def test_hostile_pieces_are_bounded(piece: bytes) -> None:
    text, truncated = redact(piece)
    assert len(text.encode()) <= MAX_KEPT_BYTES
    assert truncated or len(piece) < 300_001


def test_a_message_of_lines_is_kept_line_by_line() -> None:
    lines = [json.dumps(_HARMLESS), f'{{"prompt": "{_CANARY}"}}', "no json"]
    text, truncated = redact("\n".join(lines).encode())
    kept = text.split("\n")
    assert not truncated
    assert json.loads(kept[0]) == _HARMLESS
    assert json.loads(kept[1]) == {"prompt": "[string, 9 characters]"}
    assert kept[2] == "<2> <4>"


@given(st.binary(max_size=2_000))
def test_any_bytes_can_be_redacted(piece: bytes) -> None:
    text, truncated = redact(piece)
    assert not truncated
    text.encode()  # no lone surrogates


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.text() | st.sampled_from(sorted(_HARMLESS)), _VALUES, max_size=6))
def test_an_object_stays_an_object_without_its_texts(piece: dict[str, Any]) -> None:
    text, _ = redact(json.dumps(piece | {"prompt": _CANARY}).encode())
    assert _CANARY not in text
    if all(_is_plain(value) for value in piece.values()):
        assert json.loads(text)["prompt"] == "[string, 9 characters]"


def _is_plain(value: Any) -> bool:
    return value is None or (isinstance(value, int) and abs(value) < 10**18)

"""A body's pieces, and what is bounded about them."""

import gzip
import json

import pytest
from cramjam import zstd
from hypothesis import given
from hypothesis import strategies as st

from producers.gateway.compression import decoded
from producers.gateway.pieces import pieces_of
from producers.gateway.refusals import RequestRefused

_JSON = "application/json"
_LINES = "application/x-ndjson"
_UNSTATED = "application/octet-stream"


@pytest.mark.parametrize(
    ("body", "content_type", "pieces"),
    [
        (b'{"a": 1}', _JSON, [(0, b'{"a": 1}')]),
        (b'\xef\xbb\xbf {"a":\n 1}\n', _JSON, [(0, b'{"a":\n 1}')]),
        (b'{"a": 1}\n{"b": 2}\n', _JSON, [(0, b'{"a": 1}'), (1, b'{"b": 2}')]),
        (b'{"a": 1}\r\n\r\n{"b": 2}', _LINES, [(0, b'{"a": 1}'), (2, b'{"b": 2}')]),
        (b'{"a": \n{"b": 2}', _UNSTATED, [(0, b'{"a":'), (1, b'{"b": 2}')]),
        (b'[{"a": 1.10}, {"b": [1]}]', _UNSTATED, [(0, b'{"a": 1.10}'), (1, b'{"b": [1]}')]),
        (b"[]", _JSON, []),
        (b"[1, 2", _JSON, [(0, b"1"), (1, b"2"), (2, b"")]),
        (b'[{"a": 1}, {"b": , {"c": 3}]', _JSON, [(0, b'{"a": 1}'), (1, b'{"b": , {"c": 3}]')]),
        (b'[{"a": 1}] tail', _JSON, [(0, b'{"a": 1}'), (1, b"tail")]),
        (b'["\xff", 2]', _JSON, [(0, b'"\xff"'), (1, b"2")]),
        (b"[" + b"1" * 5_000 + b", 2]", _JSON, [(0, b"1" * 5_000), (1, b"2")]),
        (b"[1]", _LINES, [(0, b"[1]")]),
        (b"nonsense", _JSON, [(0, b"nonsense")]),
        (b" \n ", _JSON, []),
    ],
)
def test_pieces(body: bytes, content_type: str, pieces: list[tuple[int, bytes]]) -> None:
    assert list(pieces_of(body, content_type)) == pieces


def test_deep_nesting_is_one_piece() -> None:
    deep = b"[" * 100_000
    assert list(pieces_of(b"[1," + deep, _JSON)) == [(0, b"1"), (1, deep)]
    assert list(pieces_of(b'{"a":' * 50_000, _JSON)) == [(0, b'{"a":' * 50_000)]


@given(st.binary(max_size=300), st.sampled_from([_JSON, _LINES, _UNSTATED]))
def test_any_bytes_have_pieces(body: bytes, content_type: str) -> None:
    for number, piece in pieces_of(body, content_type):
        assert number >= 0
        assert piece in body


@given(st.lists(st.dictionaries(st.text(), st.one_of(st.integers(), st.floats(), st.text())), min_size=1))
def test_all_three_forms_have_the_same_pieces(objects: list[dict[str, object]]) -> None:
    texts = [json.dumps(one).encode() for one in objects]
    expected = list(enumerate(texts))
    assert list(pieces_of(b"[" + b" , ".join(texts) + b"]", _JSON)) == expected
    assert list(pieces_of(b"\n".join(texts), _LINES)) == expected
    assert list(pieces_of(b"\n".join(texts), _UNSTATED)) == expected


def test_gzip_is_unpacked_within_bounds() -> None:
    assert decoded(b"plain", 10) == b"plain"
    assert decoded(gzip.compress(b"a") + gzip.compress(b"b"), 2) == b"ab"
    assert decoded(bytes(zstd.compress(b"a")) + bytes(zstd.compress(b"b")), 2) == b"ab"
    assert decoded(bytes(zstd.compress(b"x" * 1_000)), 1_000) == b"x" * 1_000
    for packed in (bytes(zstd.compress(b"x" * 1_000)), bytes(zstd.compress(b"\0" * 50_000_000))):
        with pytest.raises(RequestRefused) as zstd_bomb:
            decoded(packed, 999)
        assert zstd_bomb.value.status == 413
    with pytest.raises(RequestRefused) as zstd_cut:
        decoded(bytes(zstd.compress(b"x" * 1_000))[:-2], 10_000)
    assert zstd_cut.value.status == 400
    with pytest.raises(RequestRefused) as bomb:
        decoded(gzip.compress(b"0" * 50_000_000), 1_000_000)
    assert bomb.value.status == 413
    with pytest.raises(RequestRefused) as cut:
        decoded(gzip.compress(b"x" * 1_000)[:-4], 10_000)
    assert cut.value.status == 400
    with pytest.raises(RequestRefused) as broken:
        decoded(b"\x1f\x8bnonsense", 10_000)
    assert broken.value.status == 400

"""What was refused, on the windows topic: every refused line once, in as many lines of it as there are tenants."""

import json
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.meter import Meter
from streams.refused import (
    MAX_SOURCES,
    MAX_TENANTS,
    NOTHING_REFUSED,
    UNKNOWN_TENANT,
    Refused,
    RefusedLines,
    refused_in,
    refused_windows,
)
from streams.windows import MinuteWindow, decode_windows, merge_windows
from tests.streams.making import NOW, REPORTED_AT_MS, FlatBook, a_line, step
from tokenweir.usage.rejection import Reason

PARTIAL_ID = f"tokenweir.usage/3/42@{REPORTED_AT_MS}"


def a_bad_line(**changes: Any) -> bytes:
    """A line of acme's that is refused for a count below zero."""
    return json.dumps(json.loads(a_line()) | {"output_tokens": -1} | changes).encode()


def windows_of(pairs: list[tuple[bytes, bytes]]) -> list[MinuteWindow]:
    return [window for _, lines in pairs for window in decode_windows(lines)]


def test_a_refused_line_stands_beside_the_sums_under_its_tenant() -> None:
    output = step(
        b"\n".join([a_line(1), a_bad_line(), b"nonsense", a_bad_line(tenant="umbrella", prompt="x")])
    )
    assert [window.calls for window in windows_of(output.windows)] == [1]
    acme, umbrella = windows_of(output.refused_windows)
    assert [key for key, _ in output.refused_windows] == [b"acme", b"umbrella"]
    assert (acme.tenant, acme.partial_id, acme.calls) == ("acme", PARTIAL_ID, 0)
    assert acme.refused_lines == {"invalid_json": 1, "out_of_range": 1}
    assert acme.refused_sources == {"": 1, "sdk": 1}
    assert umbrella.refused_sources == {"sdk": 1}


def test_where_nothing_is_refused_nothing_is_added() -> None:
    assert step(b"\n".join([a_line(1), a_line(2)])).refused_windows == []


def test_a_message_that_is_refused_whole_counts_with_all_its_lines() -> None:
    output = step(b"\n".join([a_line(1), b"", a_line(2), a_line(3)]), headers=[("tokenweir-schema", b"2")])
    (window,) = windows_of(output.refused_windows)
    assert (window.tenant, window.refused_lines) == ("acme", {"wrong_schema_version": 3})
    (empty,) = windows_of(step(b"").refused_windows)
    assert empty.refused_lines == {"empty_batch": 1}


def test_a_flood_counts_in_full_though_it_is_not_kept_line_by_line() -> None:
    output = step(b"x\n" * 1_500)
    (window,) = windows_of(output.refused_windows)
    assert (window.refused_lines, output.refused_lines) == ({"invalid_json": 1_500}, 1_500)


@pytest.mark.parametrize(
    ("piece", "key", "tenant", "source"),
    [
        (b'{"tenant":"acme","source":"shop"}', None, "acme", "shop"),
        (b'{"source":"shop"}', b"acme\x1f\x1f\x1f", "default", "shop"),
        (b"{", b"acme\x1fsearch\x1f\x1f", "acme", ""),
        (b"{", b"acme", UNKNOWN_TENANT, ""),
        (b"{", b"\xff\x1f\x1f\x1f", UNKNOWN_TENANT, ""),
        (b"{", None, UNKNOWN_TENANT, ""),
        (b'{"tenant":7}', None, UNKNOWN_TENANT, ""),
        (b'{"tenant":"a\\u0000b","source":"x\\u0007"}', None, UNKNOWN_TENANT, ""),
        (b'{"tenant":"%s"}' % (b"x" * 257), None, UNKNOWN_TENANT, ""),
        (b'{"tenant":""}', None, UNKNOWN_TENANT, ""),
        (b'{"tenant":"acme","x":"%s"}' % (b"x" * 70_000), None, UNKNOWN_TENANT, ""),
        (b'{"a":' * 5_000, None, UNKNOWN_TENANT, ""),
        (b'{"tenant":"\xff"}', None, UNKNOWN_TENANT, ""),
    ],
)
def test_whose_a_refused_line_is(piece: bytes, key: bytes | None, tenant: str, source: str) -> None:
    pairs = refused_windows([Refused(piece, "wrong_type")], PARTIAL_ID, key, REPORTED_AT_MS)
    (window,) = windows_of(pairs)
    assert (window.tenant, window.refused_sources) == (tenant, {source: 1})
    assert pairs[0][0] == tenant.encode()


def test_made_up_names_do_not_make_up_tenants_and_sources() -> None:
    lines = [a_bad_line(tenant=f"t{number}", source="s") for number in range(100)]
    lines += [a_bad_line(tenant="t0", source=f"s{number}") for number in range(100)]
    windows = windows_of(step(b"\n".join(lines)).refused_windows)
    assert len(windows) == MAX_TENANTS + 1
    assert windows[-1].tenant == UNKNOWN_TENANT
    assert windows[-1].refused_lines == {"out_of_range": 100 - MAX_TENANTS}
    assert len(windows[0].refused_sources) == MAX_SOURCES
    assert sum(windows[0].refused_sources.values()) == 101


@pytest.mark.parametrize("reported_at_ms", [0, 1, 2**62])
def test_a_message_whose_time_cannot_be_is_told_of_now(reported_at_ms: int) -> None:
    output = Meter(FlatBook()).step(
        b"{", headers=None, topic="t", partition=0, offset=0, reported_at_ms=reported_at_ms, now=NOW
    )
    (window,) = windows_of(output.refused_windows)
    assert window.minute == NOW.replace(second=0)


pieces = st.builds(
    Refused,
    st.sampled_from([b"", b"{", b"[]", b"\xff"])
    | st.builds(
        lambda tenant, source: json.dumps({"tenant": tenant, "source": source}).encode(),
        st.sampled_from(["acme", "umbrella", *(f"t{number}" for number in range(12)), "", 7]),
        st.sampled_from(["shop", "cron", "", *(f"s{number}" for number in range(40))]),
    ),
    st.sampled_from(Reason.__args__),
    st.integers(1, 5),
)


@given(st.lists(pieces, max_size=40), st.integers(1, 6), st.randoms())
def test_lines_of_any_messages_add_up_to_all_that_was_refused(
    refused: list[Refused], parts: int, dice: random.Random
) -> None:
    windows: list[MinuteWindow] = []
    for number in range(parts):
        partial_id = f"t/0/{number}@1"
        windows += windows_of(refused_windows(refused[number::parts], partial_id, None, REPORTED_AT_MS))
    dice.shuffle(windows)
    together = NOTHING_REFUSED
    for window in windows:
        together = together.plus(refused_in(window))
    expected: Counter[str] = Counter()
    for one in refused:
        expected[one.reason] += one.lines
    assert together.reasons == dict(expected)
    assert sum(together.sources.values()) == together.lines == expected.total()
    assert len({(window.partial_id, window.tenant) for window in windows}) == len(windows)
    assert merge_windows(windows) == {}


def test_a_reader_that_knows_nothing_of_it_reads_a_line_without_calls() -> None:
    (window,) = windows_of(step(b"x", now=NOW).refused_windows)
    stated = json.loads(step(b"x", now=NOW).refused_windows[0][1])
    assert (stated["calls"], stated["calls_by_status"], stated["vendor"], stated["model"]) == (0, {}, "", "")
    assert refused_in(window) == RefusedLines({"invalid_json": 1}, {"": 1})

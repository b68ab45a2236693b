"""Blocks: their names, and the search for the lines that a store refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.blocks import MAX_REFUSED, Gathered, block_token, write_block
from streams.meter import Position
from streams.progress import Partition, Progress
from tokenweir.errors import RejectedInput, StoreUnavailable


def gathered(offset: int, lines: bytes, *, partition: int = 0, reported_at_ms: int = 7) -> Gathered:
    ticket = Progress().begin(Partition("metered", partition), offset, 1)
    position = Position("metered", partition, offset, None, reported_at_ms)
    return Gathered(ticket, position, lines, lines.count(b"\n") + 1)


class Store:
    """Keeps lines; refuses a block that holds a bad one; drops a block whose token it knows."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.tokens: list[str] = []

    def write(self, lines: bytes, token: str) -> None:
        found = lines.split(b"\n")
        if any(line.startswith(b"bad") for line in found):
            raise RejectedInput("wrong_type", "a bad line")
        if token not in self.tokens:
            self.tokens.append(token)
            self.lines += found


messages = st.lists(
    st.lists(st.sampled_from([b"good-1", b"good-2", b"bad-1", b"bad-2"]), min_size=1, max_size=5).map(
        b"\n".join
    ),
    min_size=1,
    max_size=12,
).map(lambda values: [gathered(offset, lines) for offset, lines in enumerate(values)])


@given(messages)
def test_all_good_lines_are_written_once_and_all_bad_ones_named(block: list[Gathered]) -> None:
    store = Store()
    wanted = [
        (message.position, number, line)
        for message in block
        for number, line in enumerate(message.lines.split(b"\n"))
    ]
    refused = write_block(store.write, block)
    assert sorted(store.lines) == sorted(line for _, _, line in wanted if line.startswith(b"good"))
    assert [(one.position, one.number, one.line) for one in refused] == [
        one for one in wanted if one[2].startswith(b"bad")
    ]
    before = list(store.lines)
    write_block(store.write, block)
    assert store.lines == before


def test_a_store_that_refuses_everything_is_not_drained_into_rejections() -> None:
    block = [gathered(offset, b"bad") for offset in range(MAX_REFUSED * 3)]
    with pytest.raises(StoreUnavailable, match="schema"):
        write_block(Store().write, block)


def test_a_token_names_the_messages() -> None:
    block = [gathered(1, b"a"), gathered(0, b"b", partition=1), gathered(2, b"c")]
    assert block_token(block) == block_token(list(block))
    assert block_token(block) == block_token([block[1], block[0], block[2]])
    assert block_token(block) != block_token(block[:2])
    assert block_token([gathered(0, b"a")]) != block_token([gathered(0, b"a", reported_at_ms=8)])

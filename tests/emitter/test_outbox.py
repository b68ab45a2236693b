"""The outbox under every order of messages, confirmations, full disks and crashes that hypothesis thinks of."""

import itertools
import logging
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from producers.delivery.batching import Message
from producers.delivery.bounded_log import BoundedLog
from producers.emitter.outbox import Outbox
from producers.emitter.spool.spool import Keep, Spool

_SIZE = 100
_RECORD = _SIZE + 20
_SILENT = BoundedLog(logging.Logger("silent", logging.CRITICAL))


class _Delivery:
    """Takes messages in order and confirms them when it is told to, in any order."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.under_way: deque[tuple[Message, Callable[[str], None]]] = deque()
        self.confirmed: set[int] = set()

    @property
    def pending_bytes(self) -> int:
        return sum(message.size_bytes for message, _ in self.under_way)

    def submit(self, message: Message, *, on_settled: Callable[[str], None]) -> None:
        self.taken.append(_number(message))
        self.under_way.append((message, on_settled))

    def confirm(self, at: int) -> None:
        if self.under_way:
            self.under_way.rotate(-(at % len(self.under_way)))
            message, on_settled = self.under_way.popleft()
            self.confirmed.add(_number(message))
            on_settled("")


def _message(number: int) -> Message:
    return Message("t", None, f"{number:0{_SIZE}}".encode(), 1)


def _number(message: Message) -> int:
    return int(message.value)


_ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.integers(1, 5)),
        st.tuples(st.just("confirm"), st.integers(0, 9)),
        st.tuples(st.just("work"), st.just(0)),
    ),
    max_size=60,
)


def _outbox(directory: Path, *, max_records: int, keep: Keep, after: float) -> tuple[Any, Outbox, Spool]:
    delivery = _Delivery()
    spool = Spool(directory, "t", max_bytes=max_records * _RECORD, keep=keep)
    outbox = Outbox(
        delivery,  # type: ignore[arg-type]
        spool,
        _SILENT,
        window_bytes=3 * _SIZE,
        spool_after_seconds=after,
    )
    return delivery, outbox, spool


def _act(outbox: Outbox, delivery: _Delivery, numbers: Any, action: tuple[str, int]) -> None:
    kind, value = action
    if kind == "submit":
        for _ in range(value):
            outbox.submit(_message(next(numbers)))
    elif kind == "confirm":
        delivery.confirm(value)
    else:
        outbox.work()


@given(
    _ACTIONS, st.integers(1, 40), st.sampled_from(["oldest", "newest"]), st.sampled_from([0.0, 1e-6, 3600.0])
)
@hypothesis_settings(max_examples=150, deadline=None)
def test_messages_leave_in_order_and_none_is_forgotten(
    actions: list[tuple[str, int]], max_records: int, keep: Keep, after: float
) -> None:
    with tempfile.TemporaryDirectory() as place:
        delivery, outbox, spool = _outbox(Path(place), max_records=max_records, keep=keep, after=after)
        numbers = itertools.count()
        for action in actions:
            _act(outbox, delivery, numbers, action)
            assert delivery.taken == sorted(delivery.taken)
            assert spool.size_bytes <= max_records * _RECORD
            assert delivery.pending_bytes <= 3 * _SIZE
        submitted = next(numbers)
        for _ in range(10 * submitted + 10):
            outbox.work()
            delivery.confirm(0)
        outbox.work()
        outbox.work()
        assert delivery.taken == sorted(delivery.taken)
        dropped = outbox.dropped.total()
        assert len(delivery.confirmed) == submitted - dropped
        assert dropped == 0 or (keep == "newest" and outbox.dropped.keys() <= {"spool_full", "damaged"})
        assert outbox.handed_over == outbox.submitted == submitted
        assert (outbox.spooled_events, outbox.spooled_bytes, outbox.waiting_bytes) == (0, 0, 0)
        assert outbox.outside_events == dropped
        assert not outbox.is_at_work
        spool.close()


@given(_ACTIONS, st.booleans())
@hypothesis_settings(max_examples=100, deadline=None)
def test_what_was_submitted_before_a_crash_is_confirmed_or_on_disk(
    actions: list[tuple[str, int]], is_orderly: bool
) -> None:
    """On a disk that has room, with everything written before it is sent."""
    with tempfile.TemporaryDirectory() as place:
        delivery, outbox, spool = _outbox(Path(place), max_records=10_000, keep="oldest", after=0.0)
        numbers = itertools.count()
        for action in actions:
            _act(outbox, delivery, numbers, action)
        submitted = next(numbers)
        if is_orderly:
            outbox.write_all()
            outbox.close()
        else:
            spool.forget_after_fork()  # lets go of the files as the kernel does when a process is killed
        later, adopting, adopted = _outbox(Path(place), max_records=10_000, keep="oldest", after=0.0)
        for _ in range(2 * submitted + 2):
            adopting.work()
            later.confirm(0)
        adopting.work()
        assert later.taken == sorted(later.taken)
        assert delivery.confirmed | later.confirmed == set(range(submitted))
        assert adopted.size_bytes == 0
        adopted.close()
        assert list(Path(place).iterdir()) == []

"""A worker that was put out and does not know it writes over nothing: its records are not read, its signals known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.detection.checkpoint import Checkpoint, Mark, begin_record, next_number, read_kept, records_of
from streams.detection.partition import LogMessage, PartitionDetection
from tests.detection.logs import SETTINGS, Log, windows
from tests.detection.test_partition import logs
from tests.detectors.small import DearTeams
from tokenweir.signals import encode_signal

Records = list[tuple[bytes, bytes | None]]


class Worker:
    """Has a partition from now on, as `streams.detect_role` does; `topic` is what is kept."""

    def __init__(self, topic: Records) -> None:
        kept = read_kept(topic)
        self._topic = topic
        self._fence = kept.fence + 1
        self._of = PartitionDetection(lambda: [DearTeams()], SETTINGS, kept, fence=self._fence)
        self._keep([begin_record(self._of.begin, self._fence)])

    def _keep(self, records: Records) -> None:
        self._topic += records

    def go_on(self, log: list[LogMessage], end: int) -> set[bytes]:
        """Read up to there. Returns what it sends."""
        sent: set[bytes] = set()
        for message in log[self._of.next_offset : end]:
            outcome = self._of.take(message)
            sent.update(map(encode_signal, outcome.signals))
            if outcome.checkpoints:
                for checkpoint in outcome.checkpoints:
                    self._keep(list(records_of(checkpoint, 64)))
                self._keep([begin_record(self._of.begin, self._fence)])
        return sent


def long_log() -> list[LogMessage]:
    """Of three tenants, dear for some minutes, so that states of several minutes ago say something else."""
    log = Log()
    for second in range(0, 720, 6):
        minute = second // 60
        for place, tenant in enumerate(("acme", "brightwater", "corvid")):
            is_dear = 2 <= minute - place < 5
            cents = 500 if is_dear else 1
            log.add(second + place, windows(cents, minute=minute, tenant=tenant, offset=second))
        log.tick(second + 4)
    log.tick(*range(724, 900, 4))
    return log.messages


@pytest.mark.parametrize("first", [90, 170, 230, 290])
def test_a_state_that_was_put_out_of_date_is_not_taken_up(first: int) -> None:
    log = long_log()
    once = Worker([]).go_on(log, len(log))
    topic: Records = []
    put_out = Worker(topic)
    sent = put_out.go_on(log, first)
    sent |= Worker(topic).go_on(log, 420)
    before = len(topic)
    while len(topic) == before:
        first += 1
        sent |= put_out.go_on(log, first)
    topic.pop()  # killed before it has said from where its state goes on
    assert sent | Worker(topic).go_on(log, len(log)) == once


def test_who_has_read_nothing_yet_begins_no_later_than_whoever_was_there_before() -> None:
    """Of one tenant a state is kept that is further than the calls of another, of which none is."""
    log = Log()
    log.add(0, windows(1))
    log.add(0, windows(1, tenant="third", offset=1))
    log.add(9, windows(1, tenant="third", minute=-3, offset=2))
    log.add(9, windows(150, offset=3))
    log.tick(*range(11, 39, 2))
    topic: Records = []
    sent = Worker(topic).go_on(log.messages, 3)
    assert read_kept(topic).checkpoints
    Worker(topic)  # killed before it reads anything
    assert sent | Worker(topic).go_on(log.messages, len(log.messages)) == Worker([]).go_on(
        log.messages, len(log.messages)
    )


@given(logs(), st.lists(st.integers(0, 400), min_size=3, max_size=3), st.integers(0, 400))
def test_a_worker_that_was_put_out_and_goes_on_is_not_noticed(
    log: list[LogMessage], read_to: list[int], cut: int
) -> None:
    topic: Records = []
    put_out = Worker(topic)
    first, second, third = sorted(read_to)
    sent = put_out.go_on(log, first)
    owner = Worker(topic)
    sent |= owner.go_on(log, third)
    before = len(topic)
    sent |= put_out.go_on(log, second)
    del topic[before + cut :]  # it may be stopped in the middle of what it writes
    assert sent | Worker(topic).go_on(log, len(log)) == Worker([]).go_on(log, len(log))


def test_a_checkpoint_spares_the_pieces_of_the_one_before() -> None:
    number = 7
    for fence in (0, 1, 1, 2, 2, 2, 9):
        following = next_number(number, fence)
        assert following > number
        assert (following - number) % 2 == 1
        number = following


def test_records_of_before_fences_and_of_nobody() -> None:
    old = Checkpoint("acme", Mark(10, 5), 3, b"state")
    records: Records = [*records_of(old), (b"\x1f", b"\x82\xa6offset\x0a\xa8clock_ms\x05")]
    kept = read_kept([*records, (b"other", b"no head"), (b"x\x1f0\x1f0", b"")])
    assert (kept.begin, kept.checkpoints, kept.fence) == (Mark(10, 5), [old], 0)
    newer = Checkpoint("acme", Mark(20, 9), next_number(3, 4), b"newer")
    later = read_kept([*records, *records_of(newer), *records_of(old)])
    assert (later.checkpoints, later.fence) == ([newer], 4)

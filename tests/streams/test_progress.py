"""What may be committed: never past a message that is not done."""

from hypothesis import given
from hypothesis import strategies as st

from streams.progress import Partition, Progress

ONE = Partition("usage", 0)


@given(st.permutations(range(8)), st.integers(0, 8))
def test_only_the_finished_start_is_committable(order: list[int], done: int) -> None:
    progress = Progress()
    tickets = [progress.begin(ONE, offset, 1) for offset in range(100, 108)]
    finished = set(order[:done])
    for index in order[:done]:
        progress.finish(tickets[index])
    start = next((index for index in range(8) if index not in finished), 8)
    assert progress.committable() == ({ONE: 100 + start} if start else {})
    assert progress.in_flight == 8 - done


def test_a_committed_offset_is_not_committed_again() -> None:
    progress = Progress()
    progress.finish(progress.begin(ONE, 0, 1))
    progress.committed(progress.committable())
    assert progress.committable() == {}
    progress.finish(progress.begin(ONE, 1, 1))
    assert progress.committable() == {ONE: 2}


def test_an_earlier_assignment_does_not_count() -> None:
    progress = Progress()
    stale = [progress.begin(ONE, offset, 1) for offset in (5, 6)]
    fresh = progress.begin(ONE, 5, 2)
    for ticket in stale:
        progress.finish(ticket)
        assert not progress.is_current(ticket)
    assert progress.committable() == {}
    assert progress.in_flight == 1
    progress.finish(fresh)
    assert progress.committable() == {ONE: 6}


def test_a_revoked_partition_has_nothing_to_commit() -> None:
    progress = Progress()
    ticket = progress.begin(ONE, 5, 1)
    progress.finish(ticket)
    progress.revoke([ONE])
    assert progress.committable() == {}
    assert not progress.is_current(ticket)


def test_offsets_that_kafka_leaves_out_do_not_hold_up_the_rest() -> None:
    progress = Progress()
    tickets = [progress.begin(ONE, offset, 1) for offset in (5, 9)]
    for ticket in tickets:
        progress.finish(ticket)
    assert progress.gaps == 1
    assert progress.committable() == {ONE: 10}


def test_messages_delivered_again_do_not_take_the_position_back() -> None:
    progress = Progress()
    for offset in (5, 6, 7):
        progress.finish(progress.begin(ONE, offset, 1))
    progress.finish(progress.begin(ONE, 5, 1))
    assert progress.committable() == {ONE: 8}

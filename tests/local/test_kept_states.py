"""What the detectors of an embedded run know outlives it, and goes on in a log that begins anew."""

from pathlib import Path
from typing import Any

import pytest

from streams.detection.checkpoint import begin_record, forgotten_record, read_kept, records_of
from streams.detection.partition import PartitionDetection
from tests.detection.logs import SETTINGS, Log, told, windows
from tests.detectors.small import DearTeams
from tokenweir.errors import StoreUnavailable
from tokenweir.local.kept_states import FileKeeper


async def _nothing(*_: Any) -> Any:
    raise AssertionError("nothing is sent")


async def test_an_incident_that_was_open_is_resolved_by_the_next_run(tmp_path: Path) -> None:
    file = tmp_path / "states.sqlite"
    keeper = FileKeeper(file)
    first = PartitionDetection(lambda: [DearTeams()], SETTINGS, read_kept(keeper.read(0)))
    log = Log()
    for second in range(0, 300, 4):
        log.add(second, windows(500, minute=second // 60, offset=second))
    log.tick(*range(300, 311))
    signals = []
    for message in sorted(log.messages, key=lambda one: one.time_ms):
        outcome = first.take(message._replace(offset=first.next_offset))
        signals += outcome.signals
        for checkpoint in outcome.checkpoints:
            await keeper.keep(0, [*records_of(checkpoint), begin_record(first.begin)], _nothing)
    ticks = Log()
    ticks.tick(310)
    signals += first.take(ticks.messages[0]._replace(offset=first.next_offset)).signals
    assert [state for state, _, _ in told(signals)] == ["open"]

    other = FileKeeper(file)
    assert not other.is_of_this_log(0)
    kept = read_kept(other.read(0)).moved_to(0)
    assert [one.tenant for one in kept.checkpoints] == ["acme"]
    second_run = PartitionDetection(lambda: [DearTeams()], SETTINGS, kept)
    log = Log()
    eight_hours = 8 * 60
    for minute in range(eight_hours, eight_hours + 3):
        log.add(minute * 60 + 5, windows(1, minute=minute, offset=minute))
        log.tick(*(minute * 60 + second for second in range(6, 60)))
    signals = [signal for message in log.messages for signal in second_run.take(message).signals]
    assert [state for state, _, _ in told(signals)] == ["resolved"]
    await other.keep(0, [begin_record(second_run.begin), forgotten_record("acme")], _nothing)
    assert other.is_of_this_log(0)
    assert read_kept(other.read(0)).checkpoints == []
    assert list(other.read(1)) == []


async def test_a_file_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    keeper = FileKeeper(tmp_path / "none" / "states.sqlite")
    with pytest.raises(StoreUnavailable, match="cannot be kept"):
        await keeper.keep(0, [(b"key", b"value")], _nothing)
    with pytest.raises(StoreUnavailable, match="cannot be kept"):
        list(keeper.read(0))

"""A detect worker that is behind and catches up: signals say when it happened, and nobody is told of old news."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.detection.logs import NOON, NOON_MS, Log, detection, told, windows
from tests.notifications.making import channel, notifying
from tokenweir.signals import Signal


def caught_up(hours_behind: float, *, shuffled: bool) -> list[Signal]:
    """What is said of a dear quarter of an hour that is read so long after noon, each second's lines in some order."""
    behind_seconds = hours_behind * 3600
    log = Log()
    lines = [
        windows(500 if 5 <= second // 60 < 20 else 1, minute=second // 60, offset=second)
        for second in range(0, 2400, 20)
    ]
    if shuffled:
        chance = random.Random(7)
        for start in range(0, len(lines), 6):  # two minutes are read in any order
            part = lines[start : start + 6]
            chance.shuffle(part)
            lines[start : start + 6] = part
    for number, line in enumerate(lines):
        log.add(behind_seconds + number / 10, line)
    log.tick(*(behind_seconds + 13 + 2 * number for number in range(20)))
    of = detection()
    return [signal for message in log.messages for signal in of.take(message).signals]


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize(("hours_behind", "messages"), [(1, 2), (30, 0)])
def test_catching_up(hours_behind: float, messages: int, shuffled: bool, tmp_path: Path) -> None:
    signals = caught_up(hours_behind, shuffled=shuffled)
    # Opened when the sixth minute was over, resolved two minutes after the last dear one: by the calls' own times.
    assert told(signals) == [("open", "search", 6 * 60), ("resolved", "search", 22 * 60)]
    assert signals[0].started_at == NOON + timedelta(minutes=5)
    now = datetime.fromtimestamp(NOON_MS / 1000, UTC) + timedelta(hours=hours_behind)
    chat = channel("json://127.0.0.1:9/x", max_messages_per_hour=100)
    with notifying(tmp_path, {"chat": chat}, now=now) as clock:
        clock.accept(*signals)
        assert len(clock.notifier._outbox.waiting("chat")) == messages

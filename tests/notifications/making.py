"""Signals of made-up incidents, and a notifier whose clock the test moves."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from sinks.notifications.notifier import Notifier
from tests.signals.test_signals import a_signal
from tokenweir.settings import ChannelSettings, NotificationSettings
from tokenweir.signals import Signal, fingerprint, incident_name, signal_id

START = datetime(2026, 11, 23, 12, 2, tzinfo=UTC)  # a Monday


def incident_signal(team: str, number: int = 0, **changes: Any) -> Signal:
    """The n-th signal of the incident of a team; the first opens it."""
    about = fingerprint("cost_spike", "acme", {"team": team}, "")
    incident = incident_name(about, 29_400_000)
    return a_signal(
        **{
            "id": signal_id(incident, number),
            "fingerprint": about,
            "incident": incident,
            "scope": {"tenant": "acme", "team": team},
            "title": f"{team} costs 166 times the usual",
            "state": "open" if number == 0 else "update",
            "observed_at": START + timedelta(minutes=number),
            **changes,
        }
    )


def channel(url: str, **changes: Any) -> ChannelSettings:
    """A channel's settings."""
    return ChannelSettings(url=SecretStr(url), **changes)


class Clock:
    """A notifier and the time that it is for it."""

    def __init__(self, notifier: Notifier) -> None:
        self.notifier = notifier
        self.now = START

    def accept(self, *signals: Signal) -> None:
        for signal in signals:
            self.notifier.accept(signal, self.now)

    def after(self, **passed: float) -> list[str]:
        """Let time pass, then look at each channel once. Names of those on which a message was sent."""
        self.now += timedelta(**passed)
        return [name for name in self.notifier.channels if self.notifier.send_due(name, self.now)]

    def pass_on(self) -> list[Signal]:
        """What Kafka would do with signals about channels."""
        said = self.notifier.to_say()
        for signal in said:
            self.notifier.said(signal)
            self.accept(signal)
        return said


@contextmanager
def notifying(
    folder: Path, channels: dict[str, ChannelSettings], now: datetime = START, **settings: Any
) -> Iterator[Clock]:
    notifier = Notifier(
        NotificationSettings(channels=channels, **settings), folder / "notifications", chance=lambda: 1.0
    )
    clock = Clock(notifier)
    clock.now = now
    try:
        yield clock
    finally:
        notifier.close()

"""Signals in, messages out: routing, waiting, sending and remembering put together.

`accept` is for each signal that comes; `send_due` is called for each channel again and again, and may block as long as
its service takes. A channel that fails is told of on the others: `to_say` gives signals that belong on the topic of
signals, from which they come back to `accept` like any other.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sinks.notifications.hours import read_hours
from sinks.notifications.news import News, collect
from sinks.notifications.outbox import Outbox, Trouble, Waiting
from sinks.notifications.rendering import Links, render
from sinks.notifications.routing import CHANNEL_KIND, matching, wants
from sinks.notifications.schedule import is_gathered, is_within_cap, retry_at
from sinks.notifications.sending import Channel, NotSent
from tokenweir.settings import ChannelSettings, NotificationSettings
from tokenweir.signals import Signal, fingerprint, incident_name, signal_id

log = logging.getLogger("tokenweir.notifications")

OWN_TENANT: Final = "tokenweir"
"""Whose incidents channels are: those of the pipeline itself."""


class Notifier:
    """All channels of an installation. chance: gives numbers from 0 to 1, which spread retries.

    page: an address with places such as {incident}, for messages where the settings have no link; None where it is not
    known yet: nothing is sent until `show_on` says it. Raises WrongCall for a channel that cannot be, and where another
    process has the folder.
    """

    def __init__(
        self,
        settings: NotificationSettings,
        folder: Path,
        *,
        chance: Callable[[], float],
        page: str | None = "",
    ) -> None:
        self._settings = settings
        self._page = settings.link or page
        self._chance = chance
        self._channels = {name: Channel(name, one) for name, one in settings.channels.items()}
        for one in settings.channels.values():
            if one.hours:
                read_hours(one.hours, one.time_zone)
        self._outbox = Outbox(folder)
        if dropped := self._outbox.forget_others(settings.channels):
            log.warning("%s signals waited for channels that are no more, and are dropped", dropped)

    @property
    def channels(self) -> Mapping[str, ChannelSettings]:
        """The channels by name."""
        return self._settings.channels

    def show_on(self, page: str) -> None:
        """Messages point to this address where the settings have no link."""
        self._page = self._settings.link or page

    def close(self) -> None:
        """Give the folder back; what waits is sent after the next start."""
        self._outbox.close()

    def accept(self, signal: Signal, now: datetime) -> None:
        """Let a signal wait for each channel that is to be told. It is on disk when this returns."""
        matched = matching(self.channels, signal)
        max_age = timedelta(hours=self._settings.max_age_hours)
        chosen = []
        for name, channel in self.channels.items():
            if self._outbox.has(name, signal.id):
                continue
            if signal.is_muted() and signal.state != "resolved":
                self._outbox.take_back(name, signal.incident)
                continue
            is_known = self._outbox.knows(name, signal.incident)
            if wants(
                channel, signal, is_matched=name in matched, is_known=is_known, now=now, max_age=max_age
            ):
                chosen.append(name)
        if chosen:
            self._outbox.put(chosen, signal, now)

    def send_due(self, name: str, now: datetime) -> bool:
        """Send the channel's next message if it is due. Whether one was sent. Blocking."""
        if self._page is None:
            return False
        waiting = self._outbox.waiting(name)
        trouble = self._outbox.trouble(name)
        if not waiting or (trouble is not None and now < trouble.retry_at):
            return False
        news = collect(one.signal for one in waiting)
        channel = self.channels[name]
        if channel.one_per_incident:
            news = news[:1]
        if not self._is_due(name, waiting, news, now):
            return False
        self._outbox.note_sending(name, now)
        try:
            _send(self._channels[name], news, Links(self._page, self._settings.runbook))
        except NotSent as error:
            self._failed(name, trouble, error, now)
            return False
        incidents = {one.last.incident for one in news}
        self._outbox.note_sent(name, [one for one in waiting if one.signal.incident in incidents], now)
        if trouble is not None:
            self._works_again(name, trouble, now)
        return True

    def _is_due(self, name: str, waiting: list[Waiting], news: list[News], now: datetime) -> bool:
        channel = self.channels[name]
        if channel.hours and not read_hours(channel.hours, channel.time_zone).hold(now):
            return False
        is_critical = any(one.is_critical for one in news)
        return is_gathered(now, waiting[0].put_at, self._settings.group_seconds) and is_within_cap(
            now, self._outbox.sent_at(name), channel.max_messages_per_hour, is_critical=is_critical
        )

    def _failed(self, name: str, before: Trouble | None, error: NotSent, now: datetime) -> None:
        failures = (before.failures if before else 0) + 1
        signal = before.signal if before else None
        opened = None
        if signal is None and failures >= self._settings.failures_before_signal:
            signal = opened = _channel_signal(name, failures, error, now)
        again_at = retry_at(now, failures, self._chance(), error.status)
        self._outbox.set_trouble(name, Trouble(failures, again_at, signal), say=opened)
        log.warning(
            "channel %s failed (%s in a row): %s; tried again at %s",
            name,
            failures,
            error,
            f"{again_at:%H:%M:%S}",
        )

    def _works_again(self, name: str, trouble: Trouble, now: datetime) -> None:
        signal = trouble.signal
        over = None
        if signal is not None:
            over = signal.model_copy(
                update={
                    "id": signal_id(signal.incident, 1),
                    "state": "resolved",
                    "observed_at": now,
                    "explanation": f"The channel {name} takes messages again; what waited was sent.",
                }
            )
        self._outbox.set_trouble(name, None, say=over)
        log.info("channel %s works again", name)

    def to_say(self) -> list[Signal]:
        """Signals about channels that are not on the topic yet; `said` notes that one is."""
        return self._outbox.to_say()

    def said(self, signal: Signal) -> None:
        """Kafka has it."""
        self._outbox.said(signal)


def send_now(channel: Channel, signals: Iterable[Signal], links: Links) -> None:
    """Send one message of these signals, whatever the channel's settings say. Raises NotSent."""
    _send(channel, collect(signals), links)


def _send(channel: Channel, news: Sequence[News], links: Links) -> None:
    room = channel.room
    message = render(news, room.format, longest=room.longest, longest_title=room.longest_title, links=links)
    channel.send(message, news[0].last.incident if len(news) == 1 else "")


def _channel_signal(name: str, failures: int, error: NotSent, now: datetime) -> Signal:
    scope = {"tenant": OWN_TENANT}
    about = fingerprint(CHANNEL_KIND, OWN_TENANT, scope, name)
    incident = incident_name(about, int(now.timestamp()) // 60)
    return Signal(
        id=signal_id(incident, 0),
        fingerprint=about,
        incident=incident,
        kind=CHANNEL_KIND,
        subject=name,
        state="open",
        severity="warning",
        scope=scope,
        started_at=now,
        observed_at=now,
        value=float(failures),
        unit="failures in a row",
        title=f"The notification channel {name} does not work",
        explanation=f"{failures} messages in a row were not taken: {error.message}. What it should tell waits, and is "
        "sent when it works again.",
        evidence={"channel": name, "status": error.status},
    )

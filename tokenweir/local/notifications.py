"""The channels of an installation, put together from its settings, and a test message for one."""

import logging
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tokenweir.errors import WrongCall
from tokenweir.settings import NotificationSettings
from tokenweir.signals import Signal, fingerprint, incident_name, signal_id

log = logging.getLogger("tokenweir.local")

if TYPE_CHECKING:
    from sinks.notifications.notifier import Notifier


def notifier_of(settings: NotificationSettings, data_dir: Path, *, page: str | None = "") -> "Notifier":
    """All channels, with what waits for them. page: see Notifier.

    Raises WrongCall where a channel cannot be, or another has them, StoreUnavailable where nothing can be kept.
    """
    if not settings.channels:
        log.warning("no channel is set (notifications.channels), so nobody is told of any signal")
    _require_apprise()
    from sinks.notifications.notifier import Notifier

    return Notifier(settings, settings.state_in(data_dir), chance=random.SystemRandom().random, page=page)


def send_test_message(settings: NotificationSettings, name: str) -> None:
    """Send a message about nothing to one channel, now, past hours, choice and cap.

    Raises WrongCall for a channel that is not there or cannot be, NotSent where it does not take the message.
    """
    channel = settings.channels.get(name)
    if channel is None:
        known = ", ".join(sorted(settings.channels)) or "none is set"
        raise WrongCall(f"there is no channel {name!r}", hint=f"Channels: {known}")
    _require_apprise()
    from sinks.notifications.notifier import send_now
    from sinks.notifications.rendering import Links
    from sinks.notifications.sending import Channel, NotSent

    signal = _test_signal(name, datetime.now(UTC))
    try:
        send_now(Channel(name, channel), [signal], Links(settings.link, settings.runbook))
    except NotSent as error:
        raise NotSent(
            f"the channel {name} did not take the test message: {error.message}",
            status=error.status,
            hint="Check its url, and whether the service is well",
        ) from None


def _test_signal(name: str, now: datetime) -> Signal:
    scope = {"tenant": "tokenweir"}
    about = fingerprint("test", "tokenweir", scope, name)
    incident = incident_name(about, int(now.timestamp()) // 60)
    return Signal(
        id=signal_id(incident, 0),
        fingerprint=about,
        incident=incident,
        kind="test",
        subject=name,
        state="open",
        severity="info",
        scope=scope,
        started_at=now,
        observed_at=now,
        title=f"A test of the channel {name}",
        explanation="Nothing is wrong. Somebody tried whether messages arrive here.",
    )


def _require_apprise() -> None:
    try:
        import apprise  # noqa: F401
    except ImportError as error:
        raise WrongCall(
            "notifications need apprise, which is not installed",
            hint='Install it with `pip install "tokenweir[notifications]"`',
        ) from error

"""Sending one message to one channel with apprise, which knows a hundred services. Blocking.

Invariant: a channel's URL holds secrets, and nothing of it is in what this module raises or logs. What apprise and
its HTTP library would log may hold parts of it, and is kept back; only the HTTP status in it is read.
"""

import logging
import re
import threading
from typing import Any, Final, NamedTuple

from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType

from sinks.notifications.rendering import Message
from sinks.notifications.text import Format
from tokenweir.errors import TokenweirError, WrongCall
from tokenweir.settings import ChannelSettings

_LONGEST_BODY: Final = 6000
_TITLE_ROOM: Final = 250
_TYPES: Final = {
    "over": NotifyType.SUCCESS,
    "info": NotifyType.INFO,
    "warning": NotifyType.WARNING,
    "critical": NotifyType.FAILURE,
}
_STATUS: Final = re.compile(r"error=(\d{3})\b")


class NotSent(TokenweirError):
    """A channel did not take a message. status: of HTTP, where the service answered with one."""

    def __init__(self, message: str, *, status: int | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class _Statuses(logging.Handler):
    """Reads the HTTP statuses of failures in apprise's log, by thread, and lets nothing of it pass."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.by_thread: dict[int, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if found := _STATUS.search(record.getMessage()):
            self.by_thread[threading.get_ident()] = int(found[1])


_statuses: Final = _Statuses()


def keep_logs_quiet() -> None:
    """Let nothing that apprise logs, nor the addresses that urllib3 logs, come to a log. Safe to repeat."""
    apprise_log = logging.getLogger("apprise")
    apprise_log.propagate = False
    apprise_log.handlers = [_statuses]
    apprise_log.setLevel(logging.WARNING)
    logging.getLogger("urllib3").setLevel(logging.ERROR)


class Room(NamedTuple):
    """What a channel takes: a format, and characters of body and title."""

    format: Format
    longest: int
    longest_title: int


class Channel:
    """One channel, for one thread at a time. Raises WrongCall where its URL is none that apprise knows."""

    def __init__(self, name: str, settings: ChannelSettings) -> None:
        keep_logs_quiet()
        self.name = name
        self._service: Any = Apprise.instantiate(
            settings.url.get_secret_value(), asset=AppriseAsset(app_id="Tokenweir", storage_mode="memory")
        )
        if self._service is None:
            raise WrongCall(
                f"the url of the channel {name!r} is none that apprise can use",
                hint="Each service's form is at https://appriseit.com/services/; check it with `apprise --dry-run`",
            )
        room = min(int(self._service.body_maxlen), _LONGEST_BODY)
        title = int(self._service.title_maxlen) or _TITLE_ROOM
        self.room = Room(
            settings.format or self._usual_format(), room - _TITLE_ROOM, min(title, _TITLE_ROOM) - 10
        )

    def _usual_format(self) -> Format:
        """HTML where a service prefers it, plain text where it takes that, else Markdown.

        Plain text before Markdown, because chat programs' Markdown differs from Markdown, and names would show escapes.
        """
        formats = self._service.notify_format
        taken = [str(one.value) for one in (formats if isinstance(formats, tuple) else (formats,))]
        if taken[0] == "html":
            return "html"
        return "text" if "text" in taken else "markdown"

    def send(self, message: Message, incident: str = "") -> None:
        """Send it. incident: what it is about, for services that keep incidents apart themselves. Raises NotSent."""
        if hasattr(self._service, "dedup"):
            self._service.dedup = incident or None
        _statuses.by_thread.pop(threading.get_ident(), None)
        try:
            taken = self._service.notify(
                title=message.title,
                body=message.body,
                notify_type=_TYPES[message.mood],
                body_format=NotifyFormat(message.format),
            )
        except Exception as error:  # noqa: BLE001 - a service's code may raise anything, and say its URL in it
            raise NotSent(f"the service's code raised {type(error).__name__}") from None
        status = _statuses.by_thread.pop(threading.get_ident(), None)
        if not taken:
            reason = f"it answered with status {status}" if status else "it did not take the message"
            raise NotSent(reason, status=status)

"""Moments as people write them on a command line."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from tokenweir.errors import WrongCall

_SPAN = re.compile(r"^(\d+)([mhdw])$")
_SPAN_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_moment(text: str | None, now: datetime) -> datetime | None:
    """A moment as people write it: `2026-11-01`, `2026-11-01T12:00Z`, `today`, `yesterday`, or `7d` for that long ago.

    A time without a zone is UTC. Raises WrongCall.
    """
    if text is None:
        return None
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if text == "now":
        return now
    if text == "today":
        return midnight
    if text == "yesterday":
        return midnight - timedelta(days=1)
    span = _SPAN.match(text)
    if span:
        return now - timedelta(**{_SPAN_UNITS[span[2]]: int(span[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongCall(
            f"{text!r} is not a time",
            hint="Write 2026-11-01, 2026-11-01T12:00Z, today, or 7d for seven days ago",
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

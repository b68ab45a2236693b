"""The one place where the processes on top read the clock; everything below is given the time."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Now, UTC."""
    return datetime.now(UTC)

"""How a command that goes on learns that it is to end."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stopped_by_signal() -> Iterator[threading.Event]:
    """An event that SIGTERM sets, so that a command ends after what is under way. Ctrl-C breaks off at once."""
    event = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: event.set())
    try:
        yield event
    finally:
        signal.signal(signal.SIGTERM, before)

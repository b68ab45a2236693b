"""Emitters at the end of a process and in a forked child. One handler for all emitters of a process.

At a normal exit every worker that still runs is given its `exit_timeout_seconds`, all at the same time. After a fork
every emitter of the child begins anew.
"""

import atexit
import os
import weakref
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from producers.emitter.emitter import Emitter
    from producers.emitter.worker import Worker

_emitters: Final["weakref.WeakSet[Emitter]"] = weakref.WeakSet()

open_workers: Final["set[Worker]"] = set()
"""Workers that have not been closed, of emitters that are there and of such as have been collected."""


def watch(emitter: "Emitter") -> None:
    """Have `emitter` begin anew in forked children, for as long as it is there."""
    _emitters.add(emitter)


def exit_before_kafka() -> None:
    """A Kafka producer was just made and has registered a hasty close of its own; handlers run in reverse order."""
    atexit.unregister(close_all)
    atexit.register(close_all)


def close_all() -> None:
    """Close what is open; for the end of the process."""
    workers = list(open_workers)
    for worker in workers:
        worker.stop(worker.exit_timeout_seconds)
    for worker in workers:
        worker.close(worker.exit_timeout_seconds)


def _start_anew_after_fork() -> None:
    open_workers.clear()
    for emitter in list(_emitters):
        emitter.start_anew_after_fork()


atexit.register(close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew_after_fork)

"""Receipts: what tells a sender that Kafka has a message, from a thread or from an event loop."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError

Receipt = Future[None]
"""Done without an error once Kafka has the message. Else BrokerUnavailable (refused, or closed before) or
RejectedInput (it can never be taken). `cancel()` withdraws the message if it has not been sent."""

OnSettled = Callable[[str], None]
"""Called once when a message has ended, in any thread: with "" when Kafka confirmed it, else with the reason for which
it was dropped. Must not raise or block."""


async def confirmed(receipts: Sequence[Receipt], timeout_seconds: float) -> None:
    """Wait in an event loop until Kafka has the messages of all `receipts`.

    Raises the first receipt's error, or TimeoutError; then what has not been sent yet is withdrawn.
    """
    waits = [asyncio.wrap_future(receipt) for receipt in receipts]
    if not waits:
        return
    try:
        await asyncio.wait_for(asyncio.gather(*waits), timeout_seconds)
    finally:
        for receipt in receipts:
            receipt.cancel()  # nothing for one that is done


def complete(receipt: Receipt, error: Exception | None = None) -> None:
    """Mark it done. Nothing for one that was cancelled or completed before."""
    with contextlib.suppress(InvalidStateError):
        if error is None:
            receipt.set_result(None)
        else:
            receipt.set_exception(error)


def halves_of(whole: Receipt) -> tuple[Receipt, Receipt]:
    """Receipts for two halves of a message; `whole` is done when both are, or with the first error of either."""
    halves: tuple[Receipt, Receipt] = (Future(), Future())
    lock = threading.Lock()
    left = 2

    def finish(half: Receipt) -> None:
        nonlocal left
        with lock:
            left -= 1
            last = left == 0
        error = None if half.cancelled() else half.exception()
        if isinstance(error, Exception):
            complete(whole, error)
        elif last:
            complete(whole)

    for half in halves:
        half.add_done_callback(finish)
    return halves


def both_settled(whole: OnSettled) -> OnSettled:
    """For two halves of a message: calls `whole` after the second, with the reason of one that was dropped."""
    lock = threading.Lock()
    reasons: list[str] = []

    def settled(reason: str) -> None:
        with lock:
            reasons.append(reason)
            is_last = len(reasons) == 2
        if is_last:
            whole(reasons[0] or reasons[1])

    return settled

"""What stands on the windows topic beside windows: ticks, and what people ask of incidents.

Such a message holds no line; what it says is in its headers, so that others who read the topic read nothing in it.
A tick is written by who reads the topic, when the meter has gone through all that was reported until a moment before:
by it minutes are closed, also where nobody writes. Because ticks are part of the log, whoever reads the log again
closes the same minutes.
"""

from collections.abc import Iterable
from typing import Final

from tokenweir.signals import SignalRequest
from tokenweir.signals.request import HEADER_REQUEST, decode_request

HEADER_TICK: Final = "tokenweir-tick"
TICK_HEADERS: Final[list[tuple[str, bytes]]] = [(HEADER_TICK, b"1")]

Headers = Iterable[tuple[str, bytes | None]]


def is_tick(headers: Headers) -> bool:
    """Whether these are the headers of a tick."""
    return any(name == HEADER_TICK for name, _ in headers)


def request_in(headers: Headers) -> SignalRequest | None:
    """What a person asks in these headers, if anything. Raises RejectedInput."""
    for name, value in headers:
        if name == HEADER_REQUEST and value is not None:
            return decode_request(value)
    return None

"""What an error of a vendor's client means for the call: its status and error code. Pure.

Clients are told by what they all have in common, the HTTP status and the names of their errors, so that none of
them has to be installed. Seen in the sources of openai 3.54, anthropic 2.12 (`status_code`, `code`, `type`),
google-genai 3.4 (`code`, `status`), mistralai 3.7, cohere 7.3 (`status_code`), botocore 1.44 (`response`), httpx,
requests and aiohttp (`response.status_code`, `status`).

Invariant: never raises, and gives nothing of an error's text, which may quote a prompt.
"""

import asyncio
import re
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any, Final, NamedTuple

from tokenweir.usage.event import Status


class Outcome(NamedTuple):
    """How a call ended. error_code: a short word of the vendor's, else the HTTP status, else the error's class."""

    status: Status
    error_code: str


_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{1,63}")
_CANCELLED: Final = (asyncio.CancelledError, CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit)

_BY_HTTP_STATUS: Final[dict[int, Status]] = {
    408: "timeout",
    429: "rate_limited",
    499: "cancelled",
    504: "timeout",
    529: "error",
}

_BY_WORD: Final[tuple[tuple[re.Pattern[str], Status], ...]] = (
    (re.compile(r"rate_?limit|throttl|too_?many_?requests|resource_?exhausted", re.I), "rate_limited"),
    (re.compile(r"time_?d?_?out|deadline", re.I), "timeout"),
    (re.compile(r"cancell?ed|abort", re.I), "cancelled"),
    (re.compile(r"content_?(filter|policy)|safety", re.I), "filtered"),
)
"""By words in an error's code or in the names of its classes."""


def outcome_of(error: BaseException) -> Outcome:
    """The status and error code of a call that ended with `error`."""
    try:
        return _outcome_of(error)
    except Exception:  # noqa: BLE001 - an error of a foreign client may fail in any way when it is looked at
        return Outcome("error", "")


def _outcome_of(error: BaseException) -> Outcome:
    name = type(error).__name__
    if isinstance(error, _CANCELLED):
        return Outcome("cancelled", name)
    code = next((word for word in _words(error) if _CODE.fullmatch(word)), "")
    http_status = next(_http_statuses(error), 0)
    label = code or (str(http_status) if http_status else name[:64])
    if http_status in _BY_HTTP_STATUS:
        return Outcome(_BY_HTTP_STATUS[http_status], label)
    if isinstance(error, TimeoutError):
        return Outcome("timeout", label)
    names = [code, *(kind.__name__ for kind in type(error).__mro__)]
    for pattern, status in _BY_WORD:
        if any(map(pattern.search, names)):
            return Outcome(status, label)
    return Outcome("error", label)


def _words(error: BaseException) -> Iterator[str]:
    """What may be the vendor's own code, the closest first."""
    details = _get(_get(error, "response"), "Error")  # botocore
    body = _get(error, "body")
    for holder, name in (
        (details, "Code"),
        (error, "code"),
        (error, "type"),
        (error, "status"),
        (_get(body, "error"), "code"),
        (_get(body, "error"), "type"),
        (body, "code"),
    ):
        value = _get(holder, name)
        if type(value) is str:
            yield value


def _http_statuses(error: BaseException) -> Iterator[int]:
    response = _get(error, "response")
    for holder, name in (
        (error, "status_code"),
        (error, "http_status"),
        (error, "status"),
        (error, "code"),
        (response, "status_code"),
        (response, "status"),
        (_get(response, "ResponseMetadata"), "HTTPStatusCode"),
        (_get(error, "raw_response"), "status_code"),
    ):
        value = _get(holder, name)
        if type(value) is int and 100 <= value <= 599:
            yield value


def _get(holder: Any, name: str) -> Any:
    if type(holder) is dict:
        return holder.get(name)
    return _quietly(lambda: getattr(holder, name, None))


def _quietly(look: Callable[[], Any]) -> Any:
    try:
        return look()
    except Exception:  # noqa: BLE001 - a property of a foreign error may raise anything
        return None

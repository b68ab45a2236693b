"""One HTTP request to a vendor's reporting interface, until it is answered or there is no more use in asking.

Asked again, after a growing pause or after what the vendor asks for (`Retry-After`, in seconds or as a date): 408, 429,
5xx, time-outs and broken connections. Everything else is final. Redirects are not followed, as the request carries a
key. An answer is read up to MAX_ANSWER_BYTES, unpacked, and within ANSWER_SECONDS however slowly it drips.
"""

import json
import logging
import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx2

from producers.bills.failures import ReportRefused, ReportUnavailable, ReportUnreadable
from producers.bills.request import Credentials, Request, Sign
from tokenweir import __version__

log = logging.getLogger("tokenweir.bills")

ATTEMPTS: Final = 6
MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
ANSWER_SECONDS: Final = 120.0
LONGEST_PAUSE_SECONDS: Final = 300.0
_FIRST_PAUSE_SECONDS: Final = 1.0
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
_KEY_STATUSES: Final = (401, 403)
_HEADERS: Final = {"accept": "application/json", "user-agent": f"tokenweir/{__version__}"}


class _AskAgain(Exception):
    """No answer this time. pause_seconds: what the vendor asks for, None where it asks for nothing."""

    def __init__(self, what: str, pause_seconds: float | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.pause_seconds = pause_seconds


class Fetcher:
    """Asks. A context that closes its connections; for one thread.

    clock: gives UTC. sleep: waits so many seconds.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
        timeout_seconds: float = 30.0,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._client = httpx2.Client(
            timeout=httpx2.Timeout(timeout_seconds), follow_redirects=False, headers=_HEADERS
        )

    def __enter__(self) -> "Fetcher":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def fetch(self, request: Request, sign: Sign, credentials: Credentials, what: str) -> dict[str, Any]:
        """The JSON object that answers `request`; numbers with a point are Decimal.

        what: names the report in errors. Raises ReportUnavailable, ReportRefused or ReportUnreadable.
        """
        pause = _FIRST_PAUSE_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._ask(sign(request, credentials, self._clock()), what)
            except _AskAgain as again:
                asked = again.pause_seconds
                wait = pause * random.uniform(0.5, 1.0) if asked is None else asked  # noqa: S311 - jitter
                if attempt == ATTEMPTS or wait > LONGEST_PAUSE_SECONDS:
                    raise ReportUnavailable(
                        f"{what}: {again.what}, after {attempt} attempts",
                        hint="Nothing was changed; poll again later",
                        retry_after_seconds=max(wait, 60.0),
                    ) from None
                log.info("%s: %s; asking again in %.1f s", what, again.what, wait)
                self._sleep(wait)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        raise AssertionError("unreachable")

    def _ask(self, request: Request, what: str) -> dict[str, Any]:
        try:
            with self._client.stream(
                request.method,
                request.url,
                params=list(request.query),
                headers=list(request.headers),
                content=request.body or None,
            ) as response:
                self._check(response.status_code, response.headers, what)
                return _decoded(self._body(response, what), what)
        except httpx2.TimeoutException:
            raise _AskAgain("no answer in time") from None
        except httpx2.DecodingError:
            raise ReportUnreadable(f"{what}: the answer cannot be unpacked") from None
        except httpx2.TransportError as error:
            raise _AskAgain(f"no connection ({type(error).__name__})") from None
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol):
            raise ReportRefused(
                f"{what}: the address cannot be asked", status=0, hint="Check base_url in the settings"
            ) from None

    def _check(self, status: int, headers: Mapping[str, str], what: str) -> None:
        if status == 200:
            return
        if status in _AGAIN or status >= 500:
            raise _AskAgain(
                "asked too often" if status == 429 else f"answered {status}",
                retry_after_seconds(headers.get("retry-after", ""), self._clock()),
            )
        hint = "Check what the settings say of this account"
        if status in _KEY_STATUSES:
            hint = "Check the key in the settings: most vendors want an admin or management key for reports"
        elif 300 <= status < 400:
            hint = "Redirects are not followed, as the request carries a key; set base_url to where it leads"
        raise ReportRefused(f"{what}: refused with status {status}", status=status, hint=hint)

    def _body(self, response: httpx2.Response, what: str) -> bytes:
        gathered = bytearray()
        deadline = time.monotonic() + ANSWER_SECONDS
        for piece in response.iter_bytes(chunk_size=65536):
            gathered += piece
            if len(gathered) > MAX_ANSWER_BYTES:
                raise ReportUnreadable(
                    f"{what}: the answer has more than {MAX_ANSWER_BYTES} bytes", hint="Ask for fewer days"
                )
            if time.monotonic() > deadline:
                raise _AskAgain(f"the answer was not whole within {ANSWER_SECONDS:.0f} s")
        return bytes(gathered)


def retry_after_seconds(text: str, now: datetime) -> float | None:
    """The pause that a Retry-After header asks for: seconds, or until a date. None where it says nothing usable."""
    text = text.strip()
    if text.isascii() and text.replace(".", "", 1).isdigit() and len(text) < 12:
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    until = until.replace(tzinfo=UTC) if until.tzinfo is None else until
    return max(0.0, (until - now).total_seconds())


def _decoded(body: bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ReportUnreadable(f"{what}: the answer is no JSON") from None
    if not isinstance(value, dict):
        raise ReportUnreadable(f"{what}: the answer is no JSON object")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")

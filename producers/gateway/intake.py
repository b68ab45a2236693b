"""The handler of `POST /v1/events`: checks, reads, sends, and answers once Kafka has everything.

| status | when |
| --- | --- |
| 202 | Kafka has every readable event, and the rejections of the others |
| 400 | nothing was readable, the body is broken or empty |
| 401 | a token is asked for, and this is not it |
| 408, 413, 415 | too slow, too large, not a form that is read here |
| 503 | Kafka has not confirmed in time, or too much waits: send the same again later |

Sending again is safe: (`tenant`, `id`) counts once, and a body's rejections have the same names each time.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from aiohttp import hdrs, web

from producers.delivery import Delivery
from producers.delivery.receipts import confirmed
from producers.gateway.body import RequestRefused, check_content, decoded, pieces_of, read_body
from producers.gateway.metrics import GatewayMetrics
from producers.gateway.sorting import Sorted, rejection_messages, sort_pieces
from tokenweir import topics
from tokenweir.errors import BrokerUnavailable, RejectedInput
from tokenweir.settings import GatewaySettings

CONFIRM_SECONDS: Final = 10.0
RETRY_AFTER_SECONDS: Final = 2
_BODIES_AT_ONCE: Final = 8
"""So many bodies of the largest size may be held together."""

_INLINE_BYTES: Final = 32 * 1024
"""A larger body is read in a thread, so that the event loop stays free."""


class Intake:
    """Takes usage events over HTTP. Lives in one event loop.

    delivery: stays the caller's, who starts and closes it. clock: gives now in UTC.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        delivery: Delivery,
        metrics: GatewayMetrics,
        clock: Callable[[], datetime],
        *,
        confirm_seconds: float = CONFIRM_SECONDS,
    ) -> None:
        self._settings = settings
        self._delivery = delivery
        self._metrics = metrics
        self._clock = clock
        self._confirm_seconds = confirm_seconds
        self._token = settings.token.get_secret_value().encode()
        self._held_bytes = 0

    async def post_events(self, request: web.Request) -> web.Response:
        """The handler."""
        try:
            response = await self._take(request)
        except RequestRefused as refusal:
            self._metrics.errors.labels(stage=refusal.stage).inc()
            response = _answer(refusal.status, {"error": refusal.message, "hint": refusal.hint})
            if refusal.status == web.HTTPServiceUnavailable.status_code:
                response.headers[hdrs.RETRY_AFTER] = str(RETRY_AFTER_SECONDS)
            if refusal.status == web.HTTPUnauthorized.status_code:
                response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
        self._metrics.requests.labels(status=str(response.status)).inc()
        return response

    async def _take(self, request: web.Request) -> web.Response:
        self._check_token(request)
        check_content(request)
        held = 0

        def hold(size_bytes: int) -> None:
            nonlocal held
            if self._held_bytes + size_bytes > _BODIES_AT_ONCE * self._settings.max_body_bytes:
                raise RequestRefused(503, "too many bodies at once", hint="Send again later", stage="busy")
            held += size_bytes
            self._held_bytes += size_bytes

        try:
            body = await read_body(request, self._settings.max_body_bytes, hold)
            if len(body) <= _INLINE_BYTES:
                found = self._sort(body, request.content_type)
            else:
                found = await asyncio.to_thread(self._sort, body, request.content_type)
            del body
            self._metrics.received.inc(found.accepted + found.rejected)
            await self._send(found)
        finally:
            self._held_bytes -= held
        return self._report(found)

    def _check_token(self, request: web.Request) -> None:
        if not self._token:
            return
        scheme, _, given = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(
            given.strip().encode(errors="surrogateescape"), self._token
        ):
            raise RequestRefused(
                401,
                "the token is missing or wrong",
                hint="Send `Authorization: Bearer <token>`",
                stage="token",
            )

    def _sort(self, body: bytes, content_type: str) -> Sorted:
        body = decoded(body, self._settings.max_body_bytes)
        return sort_pieces(
            pieces_of(body, content_type),
            topic=self._delivery.topic(topics.USAGE.name),
            now=self._clock(),
            origin=hashlib.blake2b(body, digest_size=16).hexdigest(),
        )

    async def _send(self, found: Sorted) -> None:
        messages = found.messages
        messages.extend(rejection_messages(found.rejections, self._delivery.topic(topics.REJECTED.name)))
        try:
            await confirmed(self._delivery.try_send(messages), self._confirm_seconds)
        except TimeoutError:
            error = self._delivery.unavailable(self._confirm_seconds)
            raise RequestRefused(
                503, error.message, hint="Send the same again later", stage="kafka"
            ) from None
        except BrokerUnavailable as error:
            raise RequestRefused(
                503, error.message, hint="Send the same again later", stage="kafka"
            ) from error
        except RejectedInput as error:
            raise RequestRefused(413, error.message, hint="Send smaller events", stage="kafka") from error
        self._metrics.sent.inc(found.accepted)
        for reason, pieces in found.reasons.items():
            self._metrics.discarded.labels(reason=reason).inc(pieces)

    def _report(self, found: Sorted) -> web.Response:
        if not found.accepted and not found.rejected:
            raise RequestRefused(400, "the body holds no event (empty_batch)", hint="Send at least one event")
        content: dict[str, Any] = {
            "accepted": found.accepted,
            "rejected": [
                {"line": one.line, "reason": one.reason, "field": one.field, "detail": one.detail}
                for one in found.rejections
            ],
        }
        if found.rejected > len(found.rejections):
            content["rejected_not_listed"] = found.rejected - len(found.rejections)
        if not found.accepted:
            content["error"] = "no event of the body could be read"
            return _answer(400, content)
        return _answer(202, content)


def _answer(status: int, content: dict[str, Any]) -> web.Response:
    return web.json_response(content, status=status)

"""The handler of every route that takes usage: checks, reads, sends, and answers once Kafka has everything.

| status | when |
| --- | --- |
| 202 (OTLP: 200) | Kafka has every readable event, and the rejections of the others |
| 400 | nothing was readable, the body is broken or empty, a parameter is unknown |
| 401 | a token is asked for, and this is not it |
| 403 | a browser sent it on behalf of another site |
| 404 | no reader for the vendor, the surface or the format in the address |
| 408, 413, 415 | too slow, too large, not a form that is read here |
| 429 | the sender sent more than `gateway` allows: send the same again later |
| 503 | Kafka has not confirmed in time, or too much waits: send the same again later |

Sending again is safe: (`tenant`, `id`) counts once, and a body's rejections have the same names each time.
Invariants: what is held of bodies is bounded, in all and for each sender; at most _SORTED_AT_ONCE bodies are unpacked
and decoded at a time; nothing outlives the process.
"""

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Final

from aiohttp import web

from producers.delivery import Delivery
from producers.delivery.receipts import confirmed
from producers.gateway import responses
from producers.gateway.body import UNSTATED_TYPE, check_encoding, read_body, wrong_type
from producers.gateway.compression import decoded
from producers.gateway.formats import Format
from producers.gateway.formats.otlp import PROTOBUF
from producers.gateway.limits import Buckets
from producers.gateway.metrics import GatewayMetrics
from producers.gateway.outcomes import Arrived
from producers.gateway.pieces import check_values
from producers.gateway.refusals import RequestRefused
from producers.gateway.senders import Sender, Senders
from producers.gateway.sorting import Sorted, rejection_messages, sort_outcomes
from producers.gateway.stated import stated_by
from tokenweir import topics
from tokenweir.errors import BrokerUnavailable, RejectedInput
from tokenweir.settings import GatewaySettings

log = logging.getLogger("tokenweir.gateway")

CONFIRM_SECONDS: Final = 10.0
RETRY_AFTER_SECONDS: Final = 2
_BODIES_AT_ONCE: Final = 8
"""So many bodies of the largest size may be held together."""

_BODIES_A_SENDER: Final = 4
"""So many of them may be one sender's, so that nobody can keep out all others."""

_SORTED_AT_ONCE: Final = 2
_INLINE_BYTES: Final = 4 * 1024
"""A larger body is read in a thread, so that the event loop stays free."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Intake:
    """Takes usage over HTTP. Lives in one event loop.

    delivery: stays the caller's, who starts and closes it. clock: gives now in UTC. Raises WrongCall for tokens and
    attribution that contradict themselves.
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
        self._senders = Senders(settings)
        self._requests = Buckets(settings.requests_per_second)
        self._bytes = Buckets(settings.bytes_per_second)
        self._held: Counter[str] = Counter()
        self._sorting = asyncio.Semaphore(_SORTED_AT_ONCE)

    def handler(self, formats: tuple[Format, ...]) -> Handler:
        """The handler of the address that `formats` share."""

        async def take(request: web.Request) -> web.StreamResponse:
            chosen = formats[0]
            try:
                chosen, response = await self._take(request, formats)
            except RequestRefused as refusal:
                response = self._refuse(request, chosen, refusal)
            except Exception as error:  # noqa: BLE001 - a mistake of ours must not cost others
                # Without the error itself, whose text may quote a prompt.
                log.error("a request failed unexpectedly: %s", _place_of(error))  # noqa: TRY400
                failure = RequestRefused(
                    500, "the gateway failed", hint="Its log says where", stage="unexpected"
                )
                response = self._refuse(request, chosen, failure)
            self._metrics.requests.labels(format=chosen.name, status=str(response.status)).inc()
            return response

        return take

    def _refuse(self, request: web.Request, chosen: Format, refusal: RequestRefused) -> web.Response:
        self._metrics.errors.labels(stage=refusal.stage).inc()
        if chosen.answer == "native":
            response = responses.native_refusal(refusal)
        else:
            response = responses.otlp_refusal(refusal, request.content_type)
        if refusal.status == web.HTTPRequestTimeout.status_code:
            response.force_close()
        return response

    async def _take(
        self, request: web.Request, formats: tuple[Format, ...]
    ) -> tuple[Format, web.StreamResponse]:
        sender = self._admit(request)
        chosen = _chosen(request, formats)
        check_encoding(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        stated = stated_by(request.query.items(), headers.items())
        held = {**stated.fields, **sender.fixed}
        arrived = Arrived(
            body=b"",
            content_type=request.content_type,
            headers=headers,
            path=dict(request.match_info),
            now=self._clock(),
            source=held.get("source", sender.source),
            fields={name: value for name, value in held.items() if name != "source"},
            digest="",
            agent_usage=self._settings.agent_usage,
        )
        with self._holding(sender) as hold:
            body = await read_body(
                request, self._settings.max_body_bytes, self._settings.body_timeout_seconds, hold
            )
            self._bytes.take(sender.key, len(body), asyncio.get_running_loop().time())
            if len(body) <= _INLINE_BYTES and not _is_packed(body):
                found = self._sort(body, chosen, arrived, held, stated.tags)
            else:
                async with self._sorting:
                    found = await asyncio.to_thread(self._sort, body, chosen, arrived, held, stated.tags)
            del body
            received = found.accepted + found.rejected
            self._metrics.received.labels(format=chosen.name, source=sender.source).inc(received)
            await self._send(found)
        self._count(found, chosen, sender)
        if chosen.answer == "native":
            return chosen, responses.native_answer(found)
        return chosen, responses.otlp_answer(found, chosen.answer, request.content_type)

    def _sort(
        self,
        body: bytes,
        chosen: Format,
        arrived: Arrived,
        held: Mapping[str, str],
        tags: Mapping[str, str],
    ) -> Sorted:
        unpacked = decoded(body, self._settings.max_body_bytes)
        if arrived.content_type != PROTOBUF:
            check_values(unpacked, self._settings.max_body_bytes)
        digest = hashlib.blake2b(unpacked, digest_size=16).hexdigest()
        arrived = replace(arrived, body=unpacked, now=self._clock(), digest=digest)
        return sort_outcomes(
            chosen.read(arrived),
            topic=self._delivery.topic(topics.USAGE.name),
            now=arrived.now,
            origin=digest,
            held=held,
            tags=tags,
        )

    def _admit(self, request: web.Request) -> Sender:
        now = asyncio.get_running_loop().time()
        # Any page that somebody has open could otherwise write to a gateway on their own machine.
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            raise RequestRefused(
                403, "a page of another site may not send usage", hint="Send from a server", stage="token"
            )
        try:
            sender = self._senders.of(request)
        except RequestRefused:
            # Guessing tokens is limited, too.
            stranger = self._senders.stranger(request)
            self._check_rate(stranger, now)
            self._requests.take(stranger.key, 1, now)
            raise
        self._check_rate(sender, now)
        self._requests.take(sender.key, 1, now)
        return sender

    def _check_rate(self, sender: Sender, now: float) -> None:
        wait = max(
            self._requests.wait_seconds(sender.key, now),
            self._bytes.wait_seconds(sender.key, now),
        )
        if wait:
            raise RequestRefused(
                429,
                "this sender has sent more than it may",
                hint="Send the same again later, or raise gateway.requests_per_second or gateway.bytes_per_second",
                stage="rate",
                retry_after_seconds=wait,
            )

    @contextmanager
    def _holding(self, sender: Sender) -> Iterator[Callable[[int], None]]:
        largest = self._settings.max_body_bytes
        held = 0

        def hold(size_bytes: int) -> None:
            nonlocal held
            if (
                self._held.total() + size_bytes > _BODIES_AT_ONCE * largest
                or self._held[sender.key] + size_bytes > _BODIES_A_SENDER * largest
            ):
                raise RequestRefused(
                    503,
                    "too many bodies at once",
                    hint="Send again later",
                    stage="busy",
                    retry_after_seconds=RETRY_AFTER_SECONDS,
                )
            held += size_bytes
            self._held[sender.key] += size_bytes

        try:
            yield hold
        finally:
            self._held[sender.key] -= held
            if not self._held[sender.key]:
                del self._held[sender.key]

    async def _send(self, found: Sorted) -> None:
        messages = found.messages
        messages.extend(rejection_messages(found.rejections, self._delivery.topic(topics.REJECTED.name)))
        try:
            await confirmed(self._delivery.try_send(messages), self._confirm_seconds)
        except TimeoutError:
            raise _unavailable(self._delivery.unavailable(self._confirm_seconds)) from None
        except BrokerUnavailable as error:
            raise _unavailable(error) from error
        except RejectedInput as error:
            raise RequestRefused(413, error.message, hint="Send smaller events", stage="kafka") from error

    def _count(self, found: Sorted, chosen: Format, sender: Sender) -> None:
        self._metrics.sent.labels(format=chosen.name, source=sender.source).inc(found.accepted)
        for reason, pieces in found.reasons.items():
            self._metrics.discarded.labels(format=chosen.name, reason=reason).inc(pieces)
        for reason, pieces in found.ignored.items():
            self._metrics.ignored.labels(format=chosen.name, reason=reason).inc(pieces)


def _chosen(request: web.Request, formats: tuple[Format, ...]) -> Format:
    headers = {name.lower(): value for name, value in request.headers.items()}
    for one in formats:
        unstated = request.content_type == UNSTATED_TYPE and one.takes_unstated
        if (unstated or request.content_type in one.content_types) and one.takes(headers):
            return one
    raise wrong_type(request.content_type, {known for one in formats for known in one.content_types})


def _is_packed(body: bytes) -> bool:
    return body[:1] in (b"\x1f", b"\x28")


def _unavailable(error: BrokerUnavailable) -> RequestRefused:
    return RequestRefused(
        503,
        error.message,
        hint="Send the same again later",
        stage="kafka",
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )


def _place_of(error: Exception) -> str:
    """The class of an error and the line that raised it; never its text."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "nowhere"
    return f"{type(error).__name__} at {where}"

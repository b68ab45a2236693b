"""How a request is answered: natively, or as OTLP/HTTP has it.

OTLP: 200 with an Export…ServiceResponse, whose `partial_success` counts what was rejected; every failure is a
google.rpc.Status in the encoding of the request, 429 and 503 with `Retry-After` and RetryInfo. Senders repeat 429,
502, 503 and 504 and give up on all others.
Source: opentelemetry.io, "OTLP Specification" 1.9, OTLP/HTTP Response; google/rpc `code.proto`.
"""

from typing import Any, Final

from aiohttp import hdrs, web
from google.protobuf.json_format import MessageToJson
from google.rpc import code_pb2, error_details_pb2, status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from pydantic import BaseModel, Field

from producers.gateway.formats.otlp import PROTOBUF
from producers.gateway.refusals import RequestRefused
from producers.gateway.sorting import Sorted

_JSON: Final = "application/json"
_LISTED_REASONS: Final = 5

_CODES: Final = {
    400: code_pb2.INVALID_ARGUMENT,
    401: code_pb2.UNAUTHENTICATED,
    403: code_pb2.PERMISSION_DENIED,
    404: code_pb2.NOT_FOUND,
    408: code_pb2.DEADLINE_EXCEEDED,
    413: code_pb2.RESOURCE_EXHAUSTED,
    415: code_pb2.INVALID_ARGUMENT,
    429: code_pb2.RESOURCE_EXHAUSTED,
    500: code_pb2.INTERNAL,
    503: code_pb2.UNAVAILABLE,
}


class RejectedPiece(BaseModel):
    """One piece that was rejected."""

    line: int = Field(description="Of the body's lines or an array's items, from 0.")
    reason: str
    field: str = Field(description="The field at fault; empty where it is the whole piece.")
    detail: str = Field(description="What is wrong, and what to do about it.")


class Accepted(BaseModel):
    """The answer once Kafka has everything."""

    accepted: int = Field(description="Events that Kafka has.")
    rejected: list[RejectedPiece] = Field(description="At most 1,000 of those that were rejected.")
    rejected_not_listed: int | None = Field(default=None, description="How many more were rejected.")
    ignored: dict[str, int] | None = Field(
        default=None, description="Pieces that state no call of their own, by reason."
    )
    error: str | None = Field(default=None, description="Set where nothing could be read.")


class Refused(BaseModel):
    """The answer to a request that was not taken."""

    error: str
    hint: str = Field(description="What to do next.")


def native_answer(found: Sorted) -> web.Response:
    """202, or 400 where nothing could be read. Raises RequestRefused for a body that holds nothing."""
    if not found.accepted and not found.rejected and not found.ignored:
        raise RequestRefused(400, "the body holds no event (empty_batch)", hint="Send at least one event")
    more = found.rejected - len(found.rejections)
    unreadable = not found.accepted and found.rejected > 0
    content = Accepted(
        accepted=found.accepted,
        rejected=[
            RejectedPiece(line=one.line, reason=one.reason, field=one.field, detail=one.detail)
            for one in found.rejections
        ],
        rejected_not_listed=more or None,
        ignored=dict(found.ignored) or None,
        error="no event of the body could be read" if unreadable else None,
    )
    return _json(400 if unreadable else 202, content.model_dump(exclude_none=True))


def native_refusal(refusal: RequestRefused) -> web.Response:
    """The refusal in JSON."""
    content = Refused(error=refusal.message, hint=refusal.hint)
    return _with_headers(_json(refusal.status, content.model_dump()), refusal)


def otlp_answer(found: Sorted, signal: str, content_type: str) -> web.Response:
    """200 with what was rejected."""
    message: Any
    if signal == "traces":
        message = ExportTraceServiceResponse()
        message.partial_success.rejected_spans = found.rejected
    elif signal == "logs":
        message = ExportLogsServiceResponse()
        message.partial_success.rejected_log_records = found.rejected
    else:
        message = ExportMetricsServiceResponse()
        message.partial_success.rejected_data_points = found.rejected
    if found.rejected:
        message.partial_success.error_message = "; ".join(
            f"{one.field or 'it'}: {one.detail}" for one in found.rejections[:_LISTED_REASONS]
        )
    else:
        message.ClearField("partial_success")
    return _message(200, message, content_type)


def otlp_refusal(refusal: RequestRefused, content_type: str) -> web.Response:
    """The refusal as a google.rpc.Status; in JSON where the request is in neither encoding."""
    status = status_pb2.Status(
        code=_CODES.get(refusal.status, code_pb2.UNKNOWN),
        message=f"{refusal.message}. {refusal.hint}" if refusal.hint else refusal.message,
    )
    if refusal.retry_after_seconds:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromSeconds(refusal.retry_after_seconds)
        status.details.add().Pack(retry)
    return _with_headers(_message(refusal.status, status, content_type), refusal)


def _message(status: int, message: Any, content_type: str) -> web.Response:
    if content_type == PROTOBUF:
        return web.Response(status=status, body=message.SerializeToString(), content_type=PROTOBUF)
    return web.Response(status=status, text=MessageToJson(message, indent=None), content_type=_JSON)


def _json(status: int, content: dict[str, Any]) -> web.Response:
    return web.json_response(content, status=status)


def _with_headers(response: web.Response, refusal: RequestRefused) -> web.Response:
    if refusal.retry_after_seconds:
        response.headers[hdrs.RETRY_AFTER] = str(refusal.retry_after_seconds)
    if refusal.status == web.HTTPUnauthorized.status_code:
        response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    return response

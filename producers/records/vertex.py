"""Vertex AI's log of requests and responses, exported from its BigQuery table as JSON Lines.

A row holds the whole answer (`full_response`, of a stream its chunks), which is read by Google's own reader, so that
a call which an SDK also reports is the same call (`responseId`). The table's own `request_id` names a row without it.
What Google Cloud bills is in its billing export, not here.

Source: Google's documentation of request-response logging (columns endpoint, deployed_model_id, logging_time,
request_id, request_payload, response_payload, model, model_version, api_method, full_request, full_response,
metadata).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from producers.records import fields
from producers.records.calls import events_of_answer
from producers.records.registry import RecordContext, record_format
from producers.vendors.answer import Answer
from tokenweir.usage.event import UsageEvent

_COUNTS: Final = tuple(f"usageMetadata.{name}" for name in ("promptTokenCount", "totalTokenCount"))


def is_row(record: Answer) -> bool:
    return record.has_any("full_response", "response_payload") and record.has_any("logging_time")


@record_format("vertex_request_log", looks_like=is_row)
def read_row(record: Answer, context: RecordContext) -> Iterable[UsageEvent]:
    """One request; none where its answer states no usage."""
    answer = _answer(fields.find(record, "full_response")) or _answer(fields.find(record, "response_payload"))
    if answer is None:
        return ()
    request_id = fields.text(record, "request_id")
    model = fields.text(record, "model", "deployed_model_id").rpartition("/")[2]
    endpoint = fields.label(record, "endpoint")
    return events_of_answer(
        context,
        vendor="google",
        answer={**answer, "modelVersion": answer.get("modelVersion") or model},
        time=fields.moment(record, "logging_time"),
        own_id=f"google:{request_id}" if request_id else "",
        region=_region(endpoint),
        requested_model=model,
        streaming="stream" in fields.label(record, "api_method").lower(),
    )


def _answer(value: Any) -> Mapping[str, Any] | None:
    """The answer that states usage: the object itself, or the last such chunk, whose counts are those so far."""
    value = fields.decoded(value)
    chunks = value if isinstance(value, list) else [value]
    for chunk in reversed(chunks):
        chunk = fields.decoded(chunk)
        if isinstance(chunk, list):
            found = _answer(chunk)
            if found is not None:
                return found
        elif isinstance(chunk, Mapping) and Answer(chunk).has_any(*_COUNTS):
            return chunk
    return None


def _region(endpoint: str) -> str:
    """From `projects/…/locations/us-central1/endpoints/…`."""
    parts = endpoint.split("/")
    return parts[parts.index("locations") + 1] if "locations" in parts[:-1] else ""

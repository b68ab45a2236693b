"""Amazon Bedrock's model invocation log, from S3 (gzip, one JSON object a line) or CloudWatch Logs.

Accounting: `inputTokenCount` excludes what was read from and written to the cache; the log states both beside it.
How long a write is kept is told only by the vendor's own usage within `outputBodyJson`, where bodies are logged.
The call is named after `requestId`, which an SDK sees as the request id of its response. `modelId` may be the ARN of
an inference profile; an application inference profile hides the model, which then only a logged body names.
`requestMetadata` is what the caller gave to attribute the call by.

Sources: AWS's user guide on model invocation logging, public samples of the log. A call that failed states no
output and is not billed.
"""

from collections.abc import Iterable
from typing import Any, Final

from producers.records import fields
from producers.records.calls import attributed, event_of, uncounted
from producers.records.registry import RecordContext, record_format
from producers.vendors.answer import Answer, service_tier
from tokenweir.usage.event import UsageEvent

_HIDING_PROFILE: Final = ":application-inference-profile/"


def is_invocation(record: Answer) -> bool:
    return record.body.get("schemaType") == "ModelInvocationLog"


@record_format("bedrock_invocation_log", looks_like=is_invocation)
def read_invocation(record: Answer, context: RecordContext) -> Iterable[UsageEvent]:
    """One invocation."""
    read = fields.whole(record, "input.cacheReadInputTokenCount")
    written = fields.whole(record, "input.cacheWriteInputTokenCount")
    counts = {
        "input_tokens": fields.whole(record, "input.inputTokenCount") + read + written,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "output_tokens": fields.whole(record, "output.outputTokenCount"),
    }
    if uncounted(counts.values()):
        return ()
    bodies = _bodies(record)
    counts["cache_write_1h_tokens"] = min(max(map(_one_hour, bodies), default=0), written)
    model_id = fields.text(record, "modelId")
    operation = fields.text(record, "operation")
    request_id = fields.text(record, "requestId")
    own = {"account": fields.label(record, "accountId")}
    given = attributed(fields.labels({**own, **fields.part(record, "requestMetadata").body}))
    return (
        event_of(
            context,
            vendor="aws",
            model=_model(model_id, bodies),
            time=fields.moment(record, "timestamp"),
            counts=counts,
            response_id=request_id,
            **{
                "requested_model": model_id,
                "operation": "embedding" if "embed" in model_id else "chat",
                "region": fields.label(record, "region"),
                "service_tier": _tier(bodies),
                "user": fields.label(record, "identity.arn").rpartition(":")[2],
                "streaming": operation.endswith("Stream"),
                **given,
            },
        ),
    )


def _model(model_id: str, bodies: list[Answer]) -> str:
    if _HIDING_PROFILE in model_id:
        named = next((name for body in bodies if (name := fields.label(body, "model", "message.model"))), "")
        if named:
            return named
    return model_id.rpartition("/")[2]


def _bodies(record: Answer) -> list[Answer]:
    """The logged answer, or the chunks of a streamed one; none where bodies are not logged."""
    body: Any = fields.decoded(fields.find(record, "output.outputBodyJson"))
    chunks = body if isinstance(body, list) else [body]
    return [Answer(chunk) for chunk in chunks if isinstance(chunk, dict)]


def _one_hour(body: Answer) -> int:
    """Tokens written to the cache for an hour: in Anthropic's spelling, or in Converse's."""
    for at in ("usage", "message.usage", "metadata.usage"):
        usage = fields.part(body, at)
        stated = fields.whole(usage, "cache_creation.ephemeral_1h_input_tokens")
        details = usage.body.get("cacheDetails")
        if isinstance(details, list):
            stated += sum(
                fields.whole(Answer(entry), "inputTokens")
                for entry in details
                if isinstance(entry, dict) and entry.get("ttl") == "1h"
            )
        if stated:
            return stated
    return 0


def _tier(bodies: list[Answer]) -> str:
    paths = ("serviceTier.type", "serviceTier", "metadata.serviceTier.type", "usage.service_tier")
    return next((service_tier(word) for body in bodies if (word := fields.label(body, *paths))), "")

"""Meta's Llama API: its own chat completions, and those compatible with OpenAI.

Accounting: there is no usage object; `metrics` is a list of `{"metric", "value", "unit"}`, of which `num_prompt_tokens`
and `num_completion_tokens` are counted and `num_total_tokens` is their sum. Values are floats. A stream states it in an
event of `event_type` "metrics".
Sources: types of the package llama-api-client 0.6; captured answers.
Limits: an answer names no model, so that the caller has to; nothing is told of caches.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from producers.vendors.answer import Answer, Reading
from producers.vendors.combining import never
from producers.vendors.compatible import compatible, merge_chat
from producers.vendors.registry import Merged, sign, stream

_INPUT: Final = "num_prompt_tokens"
_OUTPUT: Final = "num_completion_tokens"
_NAMED: Final = (_INPUT, _OUTPUT)
_CONTENT: Final = ("delta", "completion_message")


def is_native(answer: Answer) -> bool:
    metrics = _metrics(answer.body) or _metrics(answer.body.get("event"))
    return any(isinstance(metric, Mapping) and metric.get("metric") in _NAMED for metric in metrics)


def read_native(answer: Answer) -> Reading:
    """A chat completion, or the event of a stream that states its metrics."""
    holder = answer.part("event") if _metrics(answer.body.get("event")) else answer
    found: dict[str, int] = {}
    for metric in holder.parts("metrics"):
        name = metric.find("metric")
        if name in _NAMED:
            metric.need_any("value")
            found[name] = metric.count("value")
    if not found:
        raise answer.refusal("missing_field", "metrics", "states no tokens")
    stopped = answer.has_any("completion_message") and isinstance(answer.find("completion_message"), Mapping)
    reason = answer.find("completion_message.stop_reason") if stopped else None
    return Reading(
        model=answer.text("model"),
        response_id=answer.text("id"),
        time=answer.moment("created"),
        status="filtered" if reason == "content_filter" else "ok",
        counts={"input_tokens": found.get(_INPUT, 0), "output_tokens": found.get(_OUTPUT, 0)},
    )


def merge_native(chunks: Sequence[Answer]) -> Merged:
    """The last metrics told, and whether an event completed the answer."""
    body: dict[str, Any] = {}
    complete = False
    for chunk in chunks:
        body |= {
            name: value
            for name, value in chunk.body.items()
            if value is not None and name not in (*_CONTENT, "event")
        }
        event = chunk.body.get("event")
        if isinstance(event, Mapping):
            if _metrics(event):
                body["metrics"] = event["metrics"]
            complete = complete or event.get("event_type") in ("complete", "metrics")
    if "metrics" in body:
        return Merged(body, complete)
    return Merged(
        {**body, "metrics": [{"metric": name, "value": 0} for name in _NAMED]}, complete, stated=False
    )


def merge_either(chunks: Sequence[Answer]) -> Merged:
    """A stream of either interface."""
    return merge_native(chunks) if any(map(is_event, chunks)) else merge_chat(chunks)


def is_event(chunk: Answer) -> bool:
    return isinstance(chunk.body.get("event"), Mapping)


def _metrics(holder: Any) -> Sequence[Any]:
    metrics = holder.get("metrics") if isinstance(holder, Mapping) else None
    return metrics if isinstance(metrics, list) else ()


compatible("meta", own={"native": (is_native, read_native)})
stream("meta", "native", looks_like=is_event)(merge_native)
stream("meta", "openai_compat", looks_like=never)(merge_either)


@sign("meta")
def is_surely_meta(answer: Answer) -> bool:
    """Only the Llama API puts its counts into metrics."""
    return is_native(answer)

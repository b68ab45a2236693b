"""Google's Interactions API and Vertex's `predict`.

Accounting of interactions: `total = input + output + tool_use + thought`, as of generateContent under other names.
`predict` counts the tokens of each embedding; pictures (Imagen) are billed by count.
Sources: types of the package google-genai 3.4 (`interactions/usage.py`); recorded events; the embedding samples of
Vertex's documentation.
Limits: of `predict` no answer names its model, which stands in the URL; the characters that it also states
(`billableCharacterCount`) are another measure of the same input and are not counted beside its tokens.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from producers.vendors.answer import Answer, Reading, service_tier, whole_units
from producers.vendors.google_shapes import modalities, model_of
from producers.vendors.merging import ended_by_error
from producers.vendors.registry import Merged, other_names, stream, surface

_STATUS: Final = {"failed": "error", "cancelled": "cancelled"}
_ENDED: Final = ("completed", "complete", "failed", "cancelled", "requires_action", "incomplete")
_SEARCHES: Final = ("google_search", "enterprise_web_search", "web_search")


def is_interaction(answer: Answer) -> bool:
    return answer.has_any(
        "usage.total_input_tokens", "usage.total_output_tokens", "usage.total_thought_tokens"
    )


@surface("google", "interactions", looks_like=is_interaction)
def read_interaction(answer: Answer) -> Reading:
    """An interaction, when it is done."""
    usage = answer.part("usage")
    usage.need_any("total_input_tokens", "total_output_tokens", "total_thought_tokens")
    thoughts, outputs = usage.count("total_thought_tokens"), usage.count("total_output_tokens")
    inputs = usage.count("total_input_tokens") + usage.count("total_tool_use_tokens")
    cached = usage.count("total_cached_tokens")
    found = modalities(
        usage,
        inputs,
        outputs,
        cached,
        prompt=("input_tokens_by_modality", "tool_use_tokens_by_modality"),
        cache=("cached_tokens_by_modality",),
        output=("output_tokens_by_modality",),
        count="tokens",
    )
    return Reading(
        model=model_of(answer),
        response_id=answer.text("id"),
        time=answer.moment("updated", "created"),
        service_tier=service_tier(answer.text("service_tier")),
        status=_STATUS.get(answer.text("status"), "ok"),
        counts={
            "input_tokens": inputs,
            "cache_read_tokens": cached,
            "output_tokens": outputs + thoughts,
            "reasoning_tokens": thoughts,
            **found.counts,
        },
        units={**found.units, **whole_units(web_searches=_searches(usage))},
        facts=found.facts,
        stated_total=usage.total("total_tokens"),
    )


def is_event(event: Answer) -> bool:
    kind = event.body.get("event_type")
    return isinstance(kind, str) and kind.startswith(("interaction.", "step."))


@stream("google", "interactions", looks_like=is_event)
def merge_interaction(events: Sequence[Answer]) -> Merged:
    """A streamed interaction: the last event holds all of it; a step may tell the usage so far."""
    body: dict[str, Any] = {}
    usage: Any = None
    for event in events:
        told = event.body.get("interaction")
        if isinstance(told, Mapping):
            body |= {name: value for name, value in told.items() if value is not None}
            usage = told.get("usage") or usage
    ended = any(event.body.get("event_type") in [f"interaction.{end}" for end in _ENDED] for event in events)
    merged = Merged({**body, "usage": usage or {"total_input_tokens": 0}}, ended, stated=bool(usage))
    return ended_by_error(merged, events)


def is_prediction(answer: Answer) -> bool:
    predictions = answer.body.get("predictions")
    return isinstance(predictions, list) and any(map(_is_counted, predictions))


@surface("google", "predict", looks_like=is_prediction)
def read_prediction(answer: Answer) -> Reading:
    """Embeddings or pictures of one call."""
    predictions = answer.parts("predictions")
    statistics = [
        one.part("embeddings.statistics") for one in predictions if one.has_any("embeddings.statistics")
    ]
    pictures = sum("bytesBase64Encoded" in one.body for one in predictions)
    if not statistics and not pictures:
        raise answer.refusal("missing_field", "predictions", "states no tokens and holds no picture")
    return Reading(
        model=model_of(answer),
        operation="image" if pictures else "embedding",
        counts={"input_tokens": sum(one.count("token_count", "tokenCount") for one in statistics)},
        units=whole_units(images=pictures),
    )


other_names(
    "google", {"interactions": ("interaction",), "predict": ("prediction", "text_embeddings", "imagen")}
)


def _is_counted(prediction: Any) -> bool:
    if not isinstance(prediction, Mapping):
        return False
    embeddings = prediction.get("embeddings")
    return "bytesBase64Encoded" in prediction or (
        isinstance(embeddings, Mapping) and isinstance(embeddings.get("statistics"), Mapping)
    )


def _searches(usage: Answer) -> int:
    return sum(
        tool.count("count") for tool in usage.parts("grounding_tool_count") if tool.find("type") in _SEARCHES
    )

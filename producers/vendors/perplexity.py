"""Perplexity: Sonar's chat completions, deep research, the Responses interface, embeddings.

Accounting: `total = prompt + completion`. Deep research states `reasoning_tokens`, `citation_tokens` and
`num_search_queries` beside the completion, each billed at a price of its own: reasoning and citations are added to the
output, of which the latter are the unit `citation_tokens`. Each request has a fee besides, by `search_context_size`,
which becomes a tag; `cost.total_cost` includes it, and all the rest. Every chunk of a stream states the counts so far.
In the Responses interface the cache is inside the input, unless the total says that it stands beside it.
Sources: captured answers; types of the package perplexityai 0.46; genai-prices' notes on Perplexity's price page.
Limits: whether that interface's cache is inside the input is not documented; early streams state no cost.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading, whole_units
from producers.vendors.compatible import Habits, compatible, with_habits
from producers.vendors.compatible_facts import reported
from producers.vendors.plain_facts import error_code, tagged
from producers.vendors.registry import sign

_SEARCHES: Final = ("web_search", "search_web")
_FETCHES: Final = ("fetch_url", "url_fetch")


def _facts(answer: Answer) -> Mapping[str, Any]:
    usage = answer.part("usage")
    if not isinstance(usage.find("cost"), Mapping):
        return {**reported(usage.amount("cost")), **_size(usage)}
    cost = usage.part("cost")
    return {**reported(cost.amount("total_cost"), cost.text("currency") or "USD"), **_size(usage)}


def _size(usage: Answer) -> dict[str, Any]:
    return tagged(search_context_size=error_code(usage, "search_context_size"))


def _units(answer: Answer) -> Mapping[str, Decimal]:
    usage = answer.part("usage")
    return whole_units(
        citation_tokens=usage.count("citation_tokens"),
        web_searches=usage.count("num_search_queries", *_invocations(_SEARCHES)),
        url_fetches=usage.count(*_invocations(_FETCHES)),
    )


def _invocations(tools: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"tool_calls_details.{tool}.invocation" for tool in tools)


HABITS: Final = Habits(
    reasoning=("reasoning_tokens", "completion_tokens_details.reasoning_tokens"),
    reasoning_outside=True,
    facts=_facts,
    units=_units,
)
"""What Perplexity does otherwise than OpenAI in a chat completion."""


def read_completion(answer: Answer) -> Reading:
    """A chat completion, deep research or not."""
    reading = shapes.read_chat_completion(answer, HABITS)
    citations = answer.count("usage.citation_tokens")
    output = reading.counts["output_tokens"] + citations
    beside = citations + reading.counts["reasoning_tokens"]
    total = None if reading.stated_total is None else reading.stated_total + beside
    return replace(reading, counts={**reading.counts, "output_tokens": output}, stated_total=total)


def read_response(answer: Answer) -> Reading:
    """The Responses interface, whose cache is spelled as Anthropic's."""
    reading = shapes.read_response(answer)
    details = "usage.input_tokens_details"
    read = answer.count(f"{details}.cache_read_input_tokens", f"{details}.cached_tokens")
    write = answer.count(f"{details}.cache_creation_input_tokens", f"{details}.cache_write_tokens")
    tokens_in, tokens_out = reading.counts["input_tokens"], reading.counts["output_tokens"]
    is_outside = (read or write) and answer.count(
        "usage.total_tokens"
    ) == tokens_in + tokens_out + read + write
    counts = {
        **reading.counts,
        "input_tokens": tokens_in + (read + write if is_outside else 0),
        "cache_read_tokens": read,
        "cache_write_tokens": write,
    }
    return replace(reading, counts=counts)


compatible(
    "perplexity",
    HABITS,
    own={
        "chat_completions": (shapes.is_chat_completion, read_completion),
        "responses": (shapes.is_response, with_habits(read_response, HABITS)),
    },
    names={"chat_completions": ("deep_research",)},
)


@sign("perplexity")
def is_surely_perplexity(answer: Answer) -> bool:
    """Perplexity's split of costs, or its own model."""
    model = answer.find("model")
    own = isinstance(model, str) and model.startswith("sonar")
    return answer.has_any("usage") and (
        own or answer.has_any("usage.cost.total_cost", "usage.search_context_size")
    )

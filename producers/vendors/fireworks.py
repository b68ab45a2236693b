"""Fireworks: OpenAI-compatible chat completions, completions, embeddings, responses, Anthropic-compatible messages.

Accounting: cached tokens inside. Some serverless answers tell them only in the HTTP header
`fireworks-cached-prompt-tokens`, or, with `perf_metrics_in_response`, as `cached-prompt-tokens` of the object
`perf_metrics`: they are read from there where the usage object does not tell them. A caller who has the headers hands
them over as the object `headers` within the answer.
Sources: types of the package fireworks-ai 1.2 (UsageInfo); docs.fireworks.ai, prompt caching.
Limits: without headers a hit that only they tell is billed as if it had not been cached.
"""

from dataclasses import replace
from typing import Final

from producers.vendors.answer import Answer, Reading
from producers.vendors.compatible import OPENAI, compatible, read_chat
from producers.vendors.compatible_facts import figure
from producers.vendors.openai_shapes import is_chat_completion

_CACHED: Final = "cached-prompt-tokens"
_read_plain = read_chat(OPENAI)


def read_completion(answer: Answer) -> Reading:
    """A chat completion, with the cached tokens from wherever they are told."""
    reading = _read_plain(answer)
    if reading.counts["cache_read_tokens"]:
        return reading
    cached = figure(answer, "headers", f"fireworks-{_CACHED}") or figure(answer, "perf_metrics", _CACHED)
    return replace(reading, counts={**reading.counts, "cache_read_tokens": cached})


compatible("fireworks", own={"chat_completions": (is_chat_completion, read_completion)})

"""DeepSeek: OpenAI-compatible chat completions and responses, and its Anthropic-compatible interface.

Accounting: `prompt_tokens = prompt_cache_hit_tokens + prompt_cache_miss_tokens`; `cached_tokens` repeats the hits;
reasoning is inside the completion. As Azure's Foundry hosts its models, `reasoning_tokens` stands at the top of the
usage object and is 0 although there was reasoning, and `audio_prompt_tokens` counts audio in the prompt.
Sources: recorded answers and streams.
Limits: prices differ by the time of day and by the account's currency; an answer tells neither.
"""

from typing import Final

from producers.vendors.answer import Answer
from producers.vendors.compatible import Habits, compatible
from producers.vendors.registry import sign

HABITS: Final = Habits(
    cache_read=("prompt_cache_hit_tokens", "prompt_tokens_details.cached_tokens"),
    reasoning=("completion_tokens_details.reasoning_tokens", "reasoning_tokens"),
)
"""What DeepSeek does otherwise than OpenAI."""

compatible("deepseek", HABITS)


@sign("deepseek")
def is_surely_deepseek(answer: Answer) -> bool:
    """DeepSeek's way to tell the cache, and a name under which it serves its models; others name their maker."""
    model = answer.find("model")
    named = isinstance(model, str) and model.startswith("deepseek-") and "/" not in model
    return named and answer.has_any("usage.prompt_cache_hit_tokens", "usage.prompt_cache_miss_tokens")

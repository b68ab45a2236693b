"""Moonshot (Kimi): api.moonshot.cn, and api.moonshot.ai, its twin that bills in USD.

Accounting: OpenAI's family, cached and reasoning tokens inside. `cached_tokens` stands at the top of the usage
object, and may stand in `prompt_tokens_details` too: the same number, never added. Older streams put the usage
within the first choice. In the Anthropic shape the cache stands beside `input_tokens`.
Sources: recorded answers and streams of kimi-k2 and kimi-k3.
Limits: what the built-in web search costs is not told by an answer.
"""

from typing import Any, Final

from producers.vendors import hosts
from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading

HABITS: Final = shapes.Habits(cache_read=("cached_tokens", "prompt_tokens_details.cached_tokens"))
"""What Moonshot does otherwise than OpenAI in a chat completion."""


def is_chat(answer: Answer) -> bool:
    return shapes.is_chat_completion(_with_usage(answer))


def read_chat(answer: Answer) -> Reading:
    """A chat completion, or the last chunk of a stream, old or new."""
    return shapes.read_chat_completion(_with_usage(answer), HABITS)


def _with_usage(answer: Answer) -> Answer:
    """The answer with the usage that stands within a choice in its place."""
    choices: Any = answer.find("choices")
    if answer.find("usage") is not None or not isinstance(choices, list):
        return answer
    told = [choice.get("usage") for choice in choices if isinstance(choice, dict)]
    usage = next((one for one in told if one is not None), None)
    return answer if usage is None else Answer({**answer.body, "usage": usage}, answer.at)


_KNOWN: Final = {**hosts.compatible(read_chat), "chat_completions": (is_chat, read_chat)}
hosts.register("moonshot", _KNOWN, names={"chat_completions": ("chat",)})

"""StepFun: api.stepfun.com, and api.stepfun.ai, its twin that bills in USD.

Accounting: OpenAI's family. `cached_tokens` stands at the top of the usage object, inside the prompt, and may be
repeated in `prompt_tokens_details`. In the Anthropic shape the cache stands beside `input_tokens`.
Sources: the field list of platform.stepfun.ai (chat-completion-create).
"""

from typing import Final

from producers.vendors import hosts
from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading

HABITS: Final = shapes.Habits(cache_read=("cached_tokens", "prompt_tokens_details.cached_tokens"))
"""What StepFun does otherwise than OpenAI in a chat completion."""


def read_chat(answer: Answer) -> Reading:
    """A chat completion."""
    return shapes.read_chat_completion(answer, HABITS)


hosts.register("stepfun", hosts.compatible(read_chat), names={"chat_completions": ("chat",)})

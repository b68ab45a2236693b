"""Azure: OpenAI's surfaces as Azure OpenAI serves them, and models of others under Azure AI Foundry.

Accounting: OpenAI's, `total = input + output`, cache and reasoning inside. DeepSeek on Foundry states its reasoning
beside the counts instead of in their details, as 0 in a stream although it did reason; what it took is inside the
completion all the same.
The model of the answer is the dated one that is billed, be it behind a deployment's name or behind a model router; the
request's name is the caller's to give (`requested_model`). A time of 0, and a first chunk without id, model and
choices, say nothing.
Sources: recorded answers of Azure OpenAI and Foundry.
Limits: whether a deployment is standard, global, of a data zone or provisioned is in no answer and changes the price;
the gateway's log (API Management) is a record, not an answer: `producers.records.azure_logs`.
"""

from typing import Final

from producers.vendors import openai
from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading
from producers.vendors.anthropic import is_surely_message, merge_message, read_message
from producers.vendors.merging import is_message_event
from producers.vendors.openai_shapes import Habits
from producers.vendors.registry import other_names, sign, stream

HABITS: Final = Habits(reasoning=("completion_tokens_details.reasoning_tokens", "reasoning_tokens"))


def read_chat_completion(answer: Answer) -> Reading:
    """A chat completion of any model that Azure serves."""
    return shapes.read_chat_completion(answer, HABITS)


openai.register(
    "azure",
    {
        "chat_completions": (shapes.is_chat_completion, read_chat_completion),
        "messages": (is_surely_message, read_message),
        **{name: shape for name, shape in openai.DIRECT.items() if name != "chat_completions"},
    },
)
stream("azure", "messages", looks_like=is_message_event)(merge_message)
other_names("azure", {"chat_completions": ("deepseek", "foundry", "model_router")})


@sign("azure")
def is_surely_azure(answer: Answer) -> bool:
    """Only Azure reports what its content filters thought of the prompt."""
    return answer.has_any("prompt_filter_results")

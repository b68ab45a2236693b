"""Baichuan: OpenAI's chat completions, with searches of a knowledge base.

Accounting: plain counts. `search_count`, where a knowledge base was searched, is the unit `knowledge_searches`.
Sources: a captured answer; that `search_count` stands in the usage object could not be verified.
"""

from typing import Final

from producers.vendors import hosts
from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading, whole_units

HABITS: Final = shapes.Habits(
    units=lambda answer: whole_units(knowledge_searches=answer.count("usage.search_count")),
)
"""What Baichuan does otherwise than OpenAI in a chat completion."""


def read_chat(answer: Answer) -> Reading:
    """A chat completion."""
    return shapes.read_chat_completion(answer, HABITS)


hosts.register("baichuan", hosts.compatible(read_chat), names={"chat_completions": ("chat",)})

"""Baichuan: OpenAI's chat completions, with searches of a knowledge base.

Accounting: plain counts. `search_count`, where a knowledge base was searched, is the unit `knowledge_searches`.
Sources: a captured answer; that `search_count` stands in the usage object could not be verified.
"""

from producers.vendors.answer import whole_units
from producers.vendors.compatible import Habits, compatible

compatible(
    "baichuan",
    Habits(units=lambda answer: whole_units(knowledge_searches=answer.count("usage.search_count"))),
)

"""Cerebras: OpenAI-compatible chat completions.

Accounting: cached and reasoning tokens inside. `time_info` is in seconds.
Sources: recorded answers; inference-docs.cerebras.ai, chat completions.
"""

from collections.abc import Mapping
from typing import Any, Final

from producers.vendors.answer import Answer
from producers.vendors.compatible import Habits, compatible
from producers.vendors.compatible_facts import seconds_as_ms
from producers.vendors.registry import sign


def _facts(answer: Answer) -> Mapping[str, Any]:
    return seconds_as_ms(answer, duration_ms="time_info.total_time")


HABITS: Final = Habits(facts=_facts)
"""What Cerebras does otherwise than OpenAI."""

compatible("cerebras", HABITS)


@sign("cerebras")
def is_surely_cerebras(answer: Answer) -> bool:
    """Only Cerebras times its answers so."""
    return answer.has_any("time_info.completion_time") and answer.has_any("usage")

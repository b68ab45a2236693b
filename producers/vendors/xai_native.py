"""xAI's native gRPC interface: a GetChatCompletionResponse, as its protocol buffer is written in JSON.

Accounting: in SamplingUsage reasoning stands beside the completion, `total = prompt + completion + reasoning`, and
`cached_prompt_text_tokens` are inside the prompt. `server_side_tools_used` lists each call of a tool.
Its JSON has field names of either form (`prompt_tokens`, `promptTokens`), leaves out what is 0, and writes 64-bit
integers, which the ticks of the cost are, as strings.
Sources: a recorded response; types of the package xai-sdk 1.21 (SamplingUsage).
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from producers.vendors.answer import Answer, Reading, whole_units
from producers.vendors.compatible import Habits, read_chat
from producers.vendors.compatible_facts import reported
from producers.vendors.registry import Merged

TICKS_IN_DOLLAR: Final = Decimal(10) ** 10

TOOLS: Final = {
    "web_search": "web_searches",
    "x_search": "social_searches",
    "code_interpreter": "code_interpreter_calls",
    "code_execution": "code_interpreter_calls",
    "file_search": "file_searches",
    "collections_search": "file_searches",
    "document_search": "document_searches",
    "attachment_search": "document_searches",
    "mcp": "mcp_calls",
    "image_generation": "image_generation_calls",
}
"""Our names of the units that calls of server-side tools are, by the vendor's name of the tool."""

NATIVE_SIGNS: Final = ("prompt_text_tokens", "cached_prompt_text_tokens", "server_side_tools_used")
"""Fields of SamplingUsage that no other usage object has, of whichever vendor."""

_NATIVE_FIELDS: Final = (*NATIVE_SIGNS, "prompt_image_tokens", "reasoning_tokens")
"""Fields of SamplingUsage that no other usage object of xAI has at its top."""

_OTHER_TOOL: Final = "server_side_tool_calls"

_TICKS: Final = "cost_in_usd_ticks"
_REASON: Final = ("finish_reason", "finishReason")
_NO_REASON: Final = (None, "", 0, "REASON_INVALID")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])[A-Z]")
_TOOL: Final = re.compile(r"(?:SERVER_SIDE_TOOL_)?([A-Z_]{1,48})")
_LONGEST_NAME: Final = 64
_MOST_DIGITS: Final = 18


def cost(answer: Answer) -> Mapping[str, Any]:
    """`facts` of a Reading with what `usage.cost_in_usd_ticks` says: 10^10 ticks are one dollar."""
    ticks = answer.amount(f"usage.{_TICKS}")
    return reported(None if ticks is None else ticks / TICKS_IN_DOLLAR)


_HABITS: Final = Habits(
    cache_read=("cached_prompt_text_tokens",),
    reasoning=("reasoning_tokens",),
    reasoning_outside=True,
    facts=cost,
)


def is_native(answer: Answer) -> bool:
    plain = _plain(answer)
    if plain.has_any(*(f"usage.{name}" for name in _NATIVE_FIELDS)):
        return True
    return plain.has_any("outputs") and plain.has_any("usage.prompt_tokens", "usage.completion_tokens")


def read_native(answer: Answer) -> Reading:
    """A response of the native interface."""
    answer = _plain(answer)
    reading = read_chat(_HABITS)(answer)
    reasons = [output.find(name) for output in answer.parts("outputs") for name in _REASON]
    return replace(
        reading,
        status="filtered" if "REASON_CONTENT_FILTER" in reasons else reading.status,
        counts={**reading.counts, "input_image_tokens": answer.count("usage.prompt_image_tokens")},
        units=_tools(answer.part("usage")),
    )


def is_native_chunk(chunk: Answer) -> bool:
    return isinstance(chunk.body.get("outputs"), list)


def merge_native(chunks: Sequence[Answer]) -> Merged:
    """A streamed response: the last usage that was told; it came to its end where an output tells a reason."""
    body: dict[str, Any] = {}
    reasons: list[Any] = []
    for chunk in chunks:
        body |= {name: value for name, value in chunk.body.items() if value not in (None, "", [], {})}
        told = [output.find(name) for output in chunk.parts("outputs") for name in _REASON]
        reasons += [reason for reason in told if reason not in _NO_REASON]
    body["outputs"] = [{"finish_reason": reason} for reason in reasons]
    if body.get("usage"):
        return Merged(body, bool(reasons))
    return Merged({**body, "usage": {"prompt_tokens": 0}}, bool(reasons), stated=False)


def _tools(usage: Answer) -> Mapping[str, Decimal]:
    used = usage.find("server_side_tools_used")
    calls: Counter[str] = Counter()
    for tool in used if isinstance(used, list) else ():
        named = _TOOL.fullmatch(tool) if isinstance(tool, str) else None
        calls[TOOLS.get(named[1].lower(), _OTHER_TOOL) if named else _OTHER_TOOL] += 1
    return whole_units(**calls)


def _plain(answer: Answer) -> Answer:
    """The answer with the proto's own field names, and its ticks as a number."""
    usage = answer.body.get("usage")
    if not isinstance(usage, Mapping):
        return answer
    named = {_own_name(name): value for name, value in usage.items()}
    ticks = named.get(_TICKS)
    if isinstance(ticks, str) and ticks.isascii() and ticks.isdigit() and len(ticks) <= _MOST_DIGITS:
        named[_TICKS] = int(ticks)
    return Answer(
        {**{_own_name(name): value for name, value in answer.body.items()}, "usage": named}, answer.at
    )


def _own_name(name: Any) -> Any:
    if not isinstance(name, str) or len(name) > _LONGEST_NAME:
        return name
    return _CAMEL.sub(lambda letter: f"_{letter[0].lower()}", name)

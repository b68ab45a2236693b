"""Baidu's Qianfan (ERNIE): the first interface (wenxinworkshop) and the second, compatible with OpenAI.

Accounting: `total = prompt + completion`. Tokens that a search or a plugin put into the prompt (`search_tokens`,
`plugin_tokens`), cached tokens and reasoning are inside; `search_tokens` above 0 is the documented sign of one
billed search. Qianfan's page spells the cached tokens `cached_tokens` in its table and `cache_tokens` in its
examples; both are read.
Of the first interface's stream every frame states usage, with 0 completion tokens until `is_end`; its answers name
no model (it stands in the URL). The second's last chunk holds the reason to stop and the usage together. Errors come
with HTTP 200 and state no usage.
Sources: types and mock server of the package qianfan 0.4; "用量统计说明" (qianfan-docs/s/km96ryv9w, April 2025).
Limits: how the first interface's plugins count (`usage.plugins`) could not be verified; their tokens are not added.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from producers.vendors.answer import Answer, Reading, whole_units
from producers.vendors.compatible import Habits, compatible, read_chat
from producers.vendors.pictures import is_pictures, read_pictures
from producers.vendors.registry import Merged, other_names, sign, stream, surface

_OWN_FIELDS: Final = ("result", "is_truncated", "need_clear_history", "is_end", "sentence_id", "error_code")


def _units(answer: Answer) -> Mapping[str, Decimal]:
    search_tokens = answer.count(
        *(f"usage.{side}_tokens_details.search_tokens" for side in ("prompt", "input"))
    )
    return whole_units(web_searches=int(search_tokens > 0))


HABITS: Final = Habits(
    cache_read=("prompt_tokens_details.cached_tokens", "prompt_tokens_details.cache_tokens"),
    units=_units,
)
"""What Qianfan does otherwise than OpenAI in a chat completion."""


def is_workshop(answer: Answer) -> bool:
    """An answer of the first interface; its usage alone looks like the second's and reads the same."""
    return answer.has_any(*_OWN_FIELDS) and answer.has_any("usage")


@surface("baidu", "v1_wenxinworkshop", looks_like=is_workshop)
def read_workshop(answer: Answer) -> Reading:
    """A chat of the first interface, or a frame of its stream."""
    reading = read_chat(HABITS)(answer)
    return replace(reading, operation="embedding") if isinstance(answer.find("data"), list) else reading


@stream("baidu", "v1_wenxinworkshop", looks_like=lambda chunk: chunk.has_any(*_OWN_FIELDS))
def merge_workshop(chunks: Sequence[Answer]) -> Merged:
    """The frame that ends the stream; before it, frames know the prompt alone."""
    body: dict[str, Any] = {}
    for chunk in chunks:
        if chunk.has_any("usage") or not body:
            body |= {name: value for name, value in chunk.body.items() if value is not None}
    stated = "usage" in body
    if not stated:
        body["usage"] = {"prompt_tokens": 0}
    return Merged(body, any(chunk.find("is_end") is True for chunk in chunks), stated=stated)


compatible(
    "baidu",
    HABITS,
    own={"pictures": (is_pictures, read_pictures)},
    names={"chat_completions": ("chat", "v2", "v2_openai_compat")},
)
other_names("baidu", {"v1_wenxinworkshop": ("v1",)})


@sign("baidu")
def is_surely_baidu(answer: Answer) -> bool:
    """Only Qianfan's first interface says whether its history must be cleared."""
    return answer.has_any("need_clear_history") and answer.has_any("usage")

"""Alibaba's usage objects: what is within what, for the native interface and for those that are compatible.

Accounting: cached tokens, those written to an explicit cache, images, audio and video are inside `input_tokens`,
reasoning and audio inside `output_tokens`. `cache_write_tokens` repeats `cache_creation_input_tokens`.
Searches stand in `plugins.search.count`; the Responses interface states one count twice, in `x_tools` and in
`x_details`, of which the first is read. `x_details` also is where that interface tells what was cached.
Sources: captured usage objects of explicit caches; third parties' tests of searches; Model Studio's reference of
multimodal embeddings (`input_tokens` is the sum of text and images).
Limits: a count of video tokens has no field of its own and is the unit `input_video_tokens`.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from producers.vendors.answer import Answer, whole_units
from producers.vendors.plain_facts import error_code

_TOOLS: Final = {
    "web_search": "web_searches",
    "search": "web_searches",
    "web_extractor": "web_extractions",
    "code_interpreter": "code_interpreter_calls",
    "file_search": "file_searches",
    "web_search_image": "image_searches",
    "image_search": "image_searches",
}


def counts(usage: Answer) -> dict[str, int]:
    """The token counts of a usage object of the native or the Responses interface."""
    cache_write, one_hour = cache_writes(usage)
    images, audio, video = (media_tokens(usage, kind) for kind in ("image", "audio", "video"))
    tokens_in, tokens_out = usage.count("input_tokens"), usage.count("output_tokens")
    if not tokens_in and not tokens_out:
        tokens_in = usage.count("total_tokens")
    elif images + audio + video > tokens_in:
        # The first multimodal embeddings state the text alone as input.
        tokens_in += images + audio + video
    return {
        "input_tokens": tokens_in,
        "cache_read_tokens": _detail(usage, "input", "cached_tokens"),
        "cache_write_tokens": cache_write,
        "cache_write_1h_tokens": one_hour,
        "input_audio_tokens": audio,
        "input_image_tokens": images,
        "output_tokens": tokens_out,
        "reasoning_tokens": _detail(usage, "output", "reasoning_tokens"),
        "output_audio_tokens": _detail(usage, "output", "audio_tokens"),
        "output_image_tokens": _detail(usage, "output", "image_tokens"),
    }


def cache_writes(usage: Answer) -> tuple[int, int]:
    """Tokens written to an explicit cache, and those of them that it keeps for an hour.

    The total may be stated under two names, or only by its parts.
    """
    one_hour, five_minutes = (
        _detail(usage, "input", f"cache_creation.ephemeral_{kept}_input_tokens") for kept in ("1h", "5m")
    )
    totals = (_detail(usage, "input", name) for name in ("cache_creation_input_tokens", "cache_write_tokens"))
    return max(one_hour + five_minutes, *totals), one_hour


def tool_units(usage: Answer) -> dict[str, Decimal]:
    """Calls of billed tools, each counted once though stated twice."""
    for tools in _tools_stated(usage):
        found: dict[str, int] = {}
        for name, unit in _TOOLS.items():
            if isinstance(tools.find(name), Mapping):
                found[unit] = max(found.get(unit, 0), tools.count(f"{name}.count"))
        if any(found.values()):
            return whole_units(**found)
    return {}


def cache_type(usage: Answer) -> str:
    """`ephemeral` for an explicit cache, whose reading and writing have other prices than the implicit one's."""
    found = _details(usage, "input", "cache_type")
    return error_code(found, "cache_type") if found is not None else ""


def _tools_stated(usage: Answer) -> Iterator[Answer]:
    """What is an object of tools; extensions in any other form state no counts."""
    holders = [(usage, "x_tools"), *((detail, "plugins") for detail in _x_details(usage)), (usage, "plugins")]
    for holder, name in holders:
        if isinstance(holder.find(name), Mapping):
            yield holder.part(name)


def _x_details(usage: Answer) -> list[Answer]:
    return usage.parts("x_details") if isinstance(usage.find("x_details"), list) else []


def _details(usage: Answer, side: str, kind: str) -> Answer | None:
    """The object of details that states `kind`: the interface's own, OpenAI's, or the one within `x_details`."""
    other = "prompt" if side == "input" else "completion"
    for holder in (usage, *_x_details(usage)):
        for name in (f"{side}_tokens_details", f"{other}_tokens_details"):
            if holder.find(f"{name}.{kind}") is not None:
                return holder.part(name)
    return None


def _detail(usage: Answer, side: str, kind: str) -> int:
    found = _details(usage, side, kind)
    return found.count(kind) if found is not None else 0


def media_tokens(usage: Answer, kind: str) -> int:
    """Input tokens that are images, audio or video, within the details or at the top of the usage object."""
    return _detail(usage, "input", f"{kind}_tokens") or usage.count(f"{kind}_tokens")

"""What Google's answers have in common: how a model is named, and counts by modality.

Accounting: details by modality are subsets of the counts beside them. They need not add up, and some are larger than
what they are part of (Live: 608 of 25); such a one is cut to it and the event tagged, because a subset larger than its
total is priced wrongly whichever of the two is right.
Sources: types of the package google-genai 3.4; recorded answers.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from producers.vendors.answer import Answer, whole_units
from producers.vendors.plain_facts import tagged

DETAILS_MISMATCH: Final = "usage_details_mismatch"

_KINDS: Final = {"AUDIO": "audio", "IMAGE": "image", "DOCUMENT": "image", "VIDEO": "video"}
"""Modalities that have prices of their own. Documents are read page by page as images."""


class Modalities(NamedTuple):
    """counts, units and facts of a Reading."""

    counts: Mapping[str, int]
    units: Mapping[str, Decimal]
    facts: Mapping[str, Any]


NOTHING: Final = Modalities({}, {}, {})


class Split:
    """Tokens by kind within totals that they may not exceed. What had to be cut is remembered."""

    def __init__(self) -> None:
        self.was_cut = False

    def within(self, kinds: Mapping[str, int], total: int) -> dict[str, int]:
        """`kinds`, each as far as together they fit into `total`."""
        fitting: dict[str, int] = {}
        for kind, count in kinds.items():
            fitting[kind] = min(count, total)
            self.was_cut = self.was_cut or count > total
            total -= fitting[kind]
        return fitting


def model_of(answer: Answer) -> str:
    """`models/gemini-2.5-flash`, `publishers/google/models/gemini-2.5-flash`: the last part is the model's id."""
    return answer.text("modelVersion", "model").rpartition("/")[2]


def modalities(
    usage: Answer,
    inputs: int,
    outputs: int,
    cached: int,
    *,
    prompt: tuple[str, ...] = ("promptTokensDetails", "toolUsePromptTokensDetails"),
    cache: tuple[str, ...] = ("cacheTokensDetails",),
    output: tuple[str, ...] = ("candidatesTokensDetails",),
    count: str = "tokenCount",
) -> Modalities:
    """The tokens by modality that `usage` tells in the lists at the given paths, within the given totals."""
    into = _by_kind(usage, prompt, count)
    read = _by_kind(usage, cache, count)
    out = _by_kind(usage, output, count)
    if not into and not read and not out:
        return NOTHING
    split = Split()
    into, out = split.within(into, inputs), split.within(out, outputs)
    # What of the cache was of a kind is part of that kind, too, where the prompt's kinds are told.
    read = split.within({kind: min(held, into.get(kind, 0)) for kind, held in read.items()}, cached)
    counts = {
        "input_audio_tokens": into.get("audio", 0),
        "input_image_tokens": into.get("image", 0),
        "output_audio_tokens": out.get("audio", 0),
        "output_image_tokens": out.get("image", 0),
    }
    units = whole_units(
        input_video_tokens=into.get("video", 0),
        output_video_tokens=out.get("video", 0),
        **{f"cache_read_{kind}_tokens": held for kind, held in read.items()},
    )
    if cached and any(usage.body.get(path) is not None for path in cache):
        # That none of a kind was cached is told, too: without it a call with both would have no price.
        units = {**{f"cache_read_{kind}_tokens": Decimal(0) for kind in into}, **units}
    return Modalities(counts, units, tagged(**{DETAILS_MISMATCH: "cut" if split.was_cut else ""}))


def _by_kind(usage: Answer, paths: Iterable[str], count: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for path in paths:
        if usage.body.get(path) is None:
            continue
        for entry in usage.parts(path):
            modality = entry.find("modality")
            kind = _KINDS.get(modality.upper()) if isinstance(modality, str) else None
            tokens = entry.count(count) if kind is not None else 0
            if kind is not None and tokens:
                found[kind] = found.get(kind, 0) + tokens
    return found

"""What vendors charge by: one registry of components, for events, for price rows and for the parts of a cost.

A token component is a box in a small lattice (direction, modality, kind). `input` holds every input token;
`cache_read` those of them that were read from a cache; `cache_read_audio` those of these that are audio. What is
priced for a box covers its tokens except those of a smaller box that has a price of its own. So a model without an
audio price charges audio as text, and one without a cache price charges cached tokens as input, as vendors do.

Everything else is a unit: a count in `UsageEvent.units` under its own name (web_searches, audio_seconds…), and
`requests`, which is one for every call.
"""

from decimal import Decimal
from typing import Any, Final, NamedTuple

TOKENS_PER_RATE: Final = 1_000_000
"""Token rates are stated per million tokens."""

REQUESTS: Final = "requests"

MINIMUM_CHARGE: Final = "minimum_charge"
"""The part of a cost by which what was used falls short of the least that a call costs."""

MAX_UNIT_DECIMALS: Final = 18
"""More than any meter reads, few enough to compute with."""


class TokenComponent(NamedTuple):
    """One box of tokens. field: of UsageEvent, or the name under which `units` states the count."""

    name: str
    field: str
    in_units: bool
    dimensions: frozenset[str]


def _component(name: str, dimensions: str, field: str = "", *, in_units: bool = False) -> TokenComponent:
    return TokenComponent(name, field or f"{name}_tokens", in_units, frozenset(dimensions.split()))


TOKEN_COMPONENTS: Final = {
    component.name: component
    for component in (
        _component("input", "in"),
        _component("cache_read", "in read"),
        _component("cache_write", "in write"),
        _component("cache_write_1h", "in write 1h"),
        _component("input_audio", "in audio"),
        _component("input_image", "in image"),
        _component("input_video", "in video", in_units=True),
        _component("cache_read_audio", "in read audio", in_units=True),
        _component("cache_read_image", "in read image", in_units=True),
        _component("cache_read_video", "in read video", in_units=True),
        _component("cache_write_audio", "in write audio", in_units=True),
        _component("cache_write_image", "in write image", in_units=True),
        _component("output", "out"),
        _component("reasoning", "out reasoning"),
        _component("citation", "out citation", in_units=True),
        _component("output_audio", "out audio"),
        _component("output_image", "out image"),
        _component("output_video", "out video", in_units=True),
    )
}

MOST_SPECIFIC_FIRST: Final = tuple(
    sorted(TOKEN_COMPONENTS.values(), key=lambda component: -len(component.dimensions))
)

WITHIN: Final = {
    outer.name: frozenset(
        inner.name for inner in TOKEN_COMPONENTS.values() if outer.dimensions < inner.dimensions
    )
    for outer in TOKEN_COMPONENTS.values()
}
"""By component: the components whose tokens are part of it."""

OVERLAPS: Final = tuple(
    (first.name, second.name, both.name, "input" if "in" in both.dimensions else "output")
    for both in TOKEN_COMPONENTS.values()
    for first in TOKEN_COMPONENTS.values()
    for second in TOKEN_COMPONENTS.values()
    if first.name < second.name
    and len(first.dimensions) == 2
    and len(second.dimensions) == 2
    and first.dimensions | second.dimensions == both.dimensions
    and len(both.dimensions) == 3
)
"""(one, other, both, total): two components that can share tokens, and the component of the shared ones."""

UNIT_TOKEN_FIELDS: Final = {
    component.field: component.name for component in TOKEN_COMPONENTS.values() if component.in_units
}
"""Names in `units` that are token counts, subsets of the event's totals."""

UNIT_PARENTS: Final = {
    "input_audio_seconds": "audio_seconds",
    "output_audio_seconds": "audio_seconds",
    "annotated_document_pages": "document_pages",
}
"""Units that are part of another unit: where both are priced, the inner one's count is taken off the outer one's."""

UNIT_ALIASES: Final = {
    "input_characters": "characters",
    "search_units": "rerank_searches",
    "file_searches": "storage_searches",
    "pages": "document_pages",
    "web_search_requests": "web_searches",
}
"""Other spellings under which reporters state a unit."""


class NoPrice(Exception):
    """The price at hand does not cover what the event counts; the text says what."""


def token_counts(event: Any) -> dict[str, int]:
    """Token counts of an event by component, those in `units` included. Absent counts are 0.

    Raises NoPrice where a count in `units` is not a whole number, TypeError where it is a float.
    """
    units = event.units
    counts: dict[str, int] = {}
    for name, field, in_units, _ in TOKEN_COMPONENTS.values():
        if not in_units:
            counts[name] = getattr(event, field)
        else:
            numerator, denominator = exact_ratio(field, units.get(field, 0))
            if denominator != 1:
                raise NoPrice(f"{field} is not a whole number")
            counts[name] = numerator
    return counts


def exact_ratio(name: str, amount: Decimal | int) -> tuple[int, int]:
    """The amount as numerator and denominator.

    Raises TypeError for a float, and NoPrice for more than MAX_UNIT_DECIMALS: such an amount is short to write and its
    ratio endless to compute.
    """
    if isinstance(amount, float):
        raise TypeError(f"units.{name} is a float; amounts are Decimal or int")
    if isinstance(amount, Decimal):
        exponent = amount.as_tuple().exponent
        if not isinstance(exponent, int) or exponent < -MAX_UNIT_DECIMALS:
            raise NoPrice(f"units.{name} has more than {MAX_UNIT_DECIMALS} decimals")
    return amount.as_integer_ratio()

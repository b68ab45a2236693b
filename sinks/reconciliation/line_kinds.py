"""What a line of a bill charges for: calls to models, something beside them, or a credit."""

from decimal import Decimal
from typing import Final, Literal

Kind = Literal["calls", "outside", "credit"]

_CREDIT_WORDS: Final = ("credit", "promotion", "discount", "grant", "free tier", "refund")
_OUTSIDE_WORDS: Final = (
    "search",
    "storage",
    "session",
    "interpreter",
    "execution",
    "vector",
    "container",
    "fetch",
    "fine-tun",
    "fine_tun",
    "training",
    "hosting",
    "subscription",
    "seat",
    "tax",
    "support plan",
    "connectors",
    "libraries_api",
)
_CALL_WORDS: Final = ("token", "input", "output")


def kind_of(line_item: str, cost: Decimal | None) -> Kind:
    """What a line charges for, by its sign and the words of its name; calls, unless something else is plain."""
    words = line_item.lower()
    if (cost is not None and cost < 0) or any(word in words for word in _CREDIT_WORDS):
        return "credit"
    if any(word in words for word in _OUTSIDE_WORDS) and not any(word in words for word in _CALL_WORDS):
        return "outside"
    return "calls"

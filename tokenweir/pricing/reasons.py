"""Of which kind the reason is for which a call has no price.

The ledger keeps the reason as the sentence that the price book gave. Here a sentence is told by how it is worded; each
wording of `finding`, `book` and `calculation` has its kind, and what is worded otherwise is `other`.
"""

import re
from typing import Final

UNKNOWN_MODEL: Final = "unknown_model"
UNKNOWN_REGION: Final = "unknown_region"
UNKNOWN_TIER: Final = "unknown_tier"
BEFORE_FIRST_PRICE: Final = "before_first_price"
NO_PRICE_THEN: Final = "no_price_then"
STATED: Final = "stated"
UNKNOWN_UNIT: Final = "unknown_unit"
UNCLEAR_COUNTS: Final = "unclear_counts"
NO_EXCHANGE_RATE: Final = "no_exchange_rate"
OTHER: Final = "other"

KINDS: Final = {
    UNKNOWN_MODEL: "no source knows the model",
    UNKNOWN_REGION: "the model has prices, for other regions",
    UNKNOWN_TIER: "the model has prices, for other service tiers",
    BEFORE_FIRST_PRICE: "the call was before the first known price",
    NO_PRICE_THEN: "the call was between two known prices, or after the last",
    STATED: "a source says that there is no price, and why",
    UNKNOWN_UNIT: "the price has no rate for something that the call counts",
    UNCLEAR_COUNTS: "the counts of the call do not say what they cost",
    NO_EXCHANGE_RATE: "the price is known, the exchange rate of its currency is not",
    OTHER: "otherwise; the reason says how",
}
"""Every kind, and what it means."""

_WORDINGS: Final = (
    (NO_EXCHANGE_RATE, re.compile(r"no exchange rate from (?P<name>\w+) to USD")),
    (UNKNOWN_UNIT, re.compile(r"the price has no rate for (?P<name>\S+)")),
    (UNKNOWN_TIER, re.compile(r"no price of .+ for the service tier (?P<name>[^;]+)")),
    (UNKNOWN_REGION, re.compile(r"no price of .+ for the region '(?P<name>[^;]*)'")),
    (
        BEFORE_FIRST_PRICE,
        re.compile(r"no price of .+ \(.+\) is known before (?P<name>[\d-]{10} [\d:]{5}) UTC"),
    ),
    (
        BEFORE_FIRST_PRICE,
        # As price files word it under `no_price`.
        re.compile(
            r"\S+/.*: (?:not offered|no price is known|.* cost(?: in [A-Z]{3})?) before "
            r"(?P<name>(?:\d{1,2} )?[A-Z]\w+ \d{4})"
        ),
    ),
    (NO_PRICE_THEN, re.compile(r"no price of .+ \(.+\) is known")),
    (UNKNOWN_MODEL, re.compile(r"no price of ")),
    (
        UNCLEAR_COUNTS,
        re.compile(
            r"how many of the \w+ tokens are|the tokens within \w+ add up to more|\S+ is not a whole number"
            r"|units\.\S+ has more than \d+ decimals|\S+ is stated twice"
        ),
    ),
    (STATED, re.compile(r"\S+/.*: ")),
)


def kind_of(reason: str) -> tuple[str, str]:
    """The kind of a reason, and what it names: the unit, tier, region, currency, or when the first price begins."""
    for kind, wording in _WORDINGS:
        found = wording.match(reason)
        if found is not None:
            return kind, found.groupdict().get("name", "")
    return OTHER, ""

"""Why a call cannot carry over to a candidate: one registry of codes, each with what it means."""

from typing import Final, NamedTuple

REASONS: Final = {
    "retired": "the model is retired at that time",
    "operation_not_offered": "the model does not do that operation",
    "modality_not_taken": "the model takes or gives no such modality",
    "context_too_short": "the call is longer than the model's context",
    "output_too_long": "the answer is longer than the model can give",
    "tier_not_offered": "the model has no price in that service tier",
    "region_not_offered": "the model has no price in that region",
    "no_price": "the model has no price at that time",
    "no_exchange_rate": "the price's currency has no exchange rate at that time",
    "not_covered": "the price has no rate for something that the call counts",
}


class Reason(NamedTuple):
    """Why. code: of REASONS. detail: the limit or the missing price, in words."""

    code: str
    detail: str

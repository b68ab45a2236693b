"""MeteredEvent: a UsageEvent with what it costs. What the meter forwards and the ledger keeps.

Money is `Decimal` with twelve decimals, written to JSON as a plain decimal string. An event without a price has
`cost`, `list_cost` and `native_cost` null, never 0, and says why in `unpriced_reason`.

What was billed stays when a call is priced anew: `cost` and its companions are then of that pricing, `repriced_at` says
when it was, and the fields that begin with `billed_` keep what the meter had written. While `repriced_at` is null these
are not stated, as what was billed is the cost itself.
"""

from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import Field

from tokenweir.usage.event import Moment, Name, UsageEvent

PriceStatus = Literal["list", "contract", "allowance", "free", "reported", "unpriced"]

MONEY_DECIMALS: Final = 12
Money = Annotated[Decimal, Field(max_digits=38, decimal_places=MONEY_DECIMALS)]


class MeteredEvent(UsageEvent):
    """A priced event. `cost` and `list_cost` are USD; `native_cost` is in `currency`."""

    cost: Money | None = Field(default=None, description="What it will be billed, USD.")
    list_cost: Money | None = Field(default=None, description="At the public price, USD.")
    native_cost: Money | None = Field(default=None, description="What it will be billed, in `currency`.")
    currency: Annotated[str, Field(max_length=3)] = Field(default="USD", description="ISO 4217.")
    fx_rate: Money | None = Field(default=None, description="USD for one unit of `currency`, as used.")
    cost_parts: dict[str, Money] = Field(
        default_factory=dict, description="USD by component; they sum to cost."
    )
    price_id: Name = Field(default="", description="The price book's name of the price that was used.")
    price_status: PriceStatus = "unpriced"
    unpriced_reason: Name = ""
    metered_at: Moment = Field(description="UTC, when the meter priced it.")
    version: Annotated[int, Field(ge=0, lt=2**64)] = Field(
        description="Among reports of one call the highest wins: the fuller first, then the later."
    )
    repriced_at: Moment | None = Field(
        default=None, description="UTC, when it was last priced anew; null where it never was."
    )
    billed_cost: Money | None = Field(
        default=None, description="`cost` as first metered; stated only where it was priced anew."
    )
    billed_list_cost: Money | None = Field(
        default=None, description="`list_cost` as first metered; stated only where it was priced anew."
    )
    billed_price_id: Name = Field(
        default="", description="`price_id` as first metered; stated only where it was priced anew."
    )


REPRICING_FIELDS: Final = tuple(
    name for name in MeteredEvent.model_fields if name.startswith(("repriced_", "billed_"))
)
"""What only an event that was priced anew states."""

METERING_FIELDS: Final = tuple(
    name for name in MeteredEvent.model_fields if name not in UsageEvent.model_fields
)

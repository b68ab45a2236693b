"""VendorBill: one line of a vendor's own usage or cost report, as it was read.

Invariants:
- counts are inclusive totals with subsets, as in UsageEvent; a count that the report does not have is null, not 0;
- an amount is what the vendor states, in its currency; a report of usage has none;
- a bill is never an event: bills lie beside the ledger's events and are never added to them;
- of one vendor's reports, those with `is_detail` cut what another report counts already in a different way (by key,
  by person, by call). Sums leave them out.

The lines of one report and one day are one snapshot (`tokenweir.bills.snapshot`).
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tokenweir.errors import RejectedInput
from tokenweir.money import decimal_from_picos, picos_from_decimal
from tokenweir.usage.event import Moment, Name, RequiredName
from tokenweir.usage.metered import Money

MAX_COUNT: Final = 10**15
"""More tokens or requests than any one line of a bill can hold."""

LATEST_END: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""No bill is so far ahead; a later time is a unit mistaken."""

Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class BillLine(BaseModel):
    """What one line states of one period. Times are UTC; amounts are in `currency`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    period_start: Moment
    period_end: Moment
    line_item: Name = Field(default="", description="The vendor's own name for what is billed.")
    model: Name = Field(default="", description="As the vendor spells it.")
    project: Name = Field(default="", description="Project or workspace: our label, else the vendor's id.")
    api_key: Name = Field(default="", description="Our label of the key, else the vendor's id of it.")
    user: Name = ""
    region: Name = ""
    service_tier: Name = Field(
        default="", description="standard, batch, flex, priority; empty where not told."
    )

    requests: Count | None = None
    input_tokens: Count | None = Field(default=None, description="All input, cached or not.")
    cache_read_tokens: Count | None = Field(default=None, description="Of input_tokens.")
    cache_write_tokens: Count | None = Field(default=None, description="Of input_tokens.")
    output_tokens: Count | None = Field(default=None, description="All output, reasoning included.")
    reasoning_tokens: Count | None = Field(default=None, description="Of output_tokens.")
    quantity: Money | None = Field(default=None, description="Of what is not counted above, in `unit`.")
    unit: Name = ""

    amount: Money | None = Field(default=None, description="Null where the report tells usage only.")
    currency: Currency = "USD"
    amount_usd: Money | None = Field(default=None, description="Null where no exchange rate is known.")

    is_final: bool = Field(default=True, description="False while the vendor may still change it.")
    is_detail: bool = Field(default=False, description="Counted already by another report of this vendor.")

    @model_validator(mode="after")
    def _is_a_period(self) -> Self:
        if self.period_end <= self.period_start:
            raise ValueError("period_end lies not after period_start")
        if self.period_end >= LATEST_END:
            raise ValueError(f"period_end lies after {LATEST_END:%Y}")
        return self


class VendorBill(BillLine):
    """A line with its place: whose it is, in which report and snapshot, and when it was read.

    `line` counts from 1 to `lines` within the snapshot; a day without any is told by one row with both 0.
    """

    tenant: RequiredName = "default"
    vendor: RequiredName
    account: RequiredName = Field(description="Our name of the account at the vendor.")
    report: RequiredName
    day: date = Field(description="The day that the snapshot covers, as the vendor counts days.")
    utc_offset_minutes: Annotated[int, Field(ge=-900, le=900)] = Field(
        default=0, description="How far the vendor's days begin before UTC's."
    )
    snapshot: RequiredName = Field(description="Names the content: the same lines have the same name.")
    line: Annotated[int, Field(ge=0)]
    lines: Annotated[int, Field(ge=0)]
    refused_lines: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Lines of this day that could not be read; `rejected` has them."
    )
    recorded_at: Moment = Field(description="When the report was read.")


TOKEN_COUNTS: Final = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)
"""The token counts of a bill line."""

_REASONS: Final = {
    "missing": "missing_field",
    "string_too_long": "out_of_range",
    "string_pattern_mismatch": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
    "decimal_max_digits": "out_of_range",
    "decimal_whole_digits": "out_of_range",
    "timezone_aware": "implausible_time",
}


def bill_line(**fields: Any) -> BillLine:
    """A line of these fields, amounts rounded half to even at the twelfth decimal.

    Raises RejectedInput that names the field at fault and quotes no value.
    """
    for name in ("amount", "quantity"):
        value = fields.get(name)
        if isinstance(value, Decimal):
            try:
                fields[name] = decimal_from_picos(picos_from_decimal(value)).normalize()
            except (ValueError, ArithmeticError):
                raise RejectedInput(
                    "out_of_range", f"{name} is no amount that can be kept", field=name
                ) from None
    try:
        return BillLine(**fields)
    except ValidationError as error:
        raise _refusal(error) from None


def _refusal(error: ValidationError) -> RejectedInput:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = str(first["loc"][0]) if first["loc"] else ""
    reason = _REASONS.get(first["type"], "wrong_type")
    if first["type"] == "value_error":
        of_time = not field or field.startswith("period")
        reason = "implausible_time" if of_time else "control_character"
    sentence = first["msg"].removeprefix("Value error, ")
    return RejectedInput(reason, f"{field}: {sentence}" if field else sentence, field=field)


def day_of(moment: datetime, utc_offset_minutes: int) -> date:
    """The vendor's day in which `moment` lies."""
    return (moment.astimezone(UTC) + timedelta(minutes=utc_offset_minutes)).date()


def columns() -> Sequence[str]:
    """The names of a bill's fields, in order."""
    return tuple(VendorBill.model_fields)

"""The names that the ledger's SQL is put together from. They come from the metered event, never from a caller."""

from typing import Final

from tokenweir.bills import VendorBill
from tokenweir.signals import Signal
from tokenweir.usage import MeteredEvent, Rejection, UsageEvent
from tokenweir.usage.event import GROUP_FIELDS, TOKEN_FIELDS

EVENT_COLUMNS: Final = tuple(MeteredEvent.model_fields)
EVENT_FIELDS: Final = tuple(UsageEvent.model_fields)
REJECTION_COLUMNS: Final = tuple(Rejection.model_fields)
BILL_COLUMNS: Final = tuple(VendorBill.model_fields)
SIGNAL_COLUMNS: Final = tuple(Signal.model_fields)

ROLLUP_DIMENSIONS: Final = (*GROUP_FIELDS[1:], "status", "price_status")
"""By what, besides tenant and period, the rollups are kept."""

USAGE_DIMENSIONS: Final = (
    "user",
    "session",
    "source",
    "requested_model",
    "error_code",
    "currency",
    "price_id",
    "unpriced_reason",
)
"""By what one can group, too, at the price of reading single calls."""

COUNT_COLUMNS: Final = ("calls", "unpriced_calls", *TOKEN_FIELDS)
MONEY_COLUMNS: Final = ("cost", "list_cost")
BILLED_COLUMNS: Final = ("billed_cost", "billed_list_cost", "billed_unpriced_calls")
"""What the rollups keep of the first metering, for calls that were priced anew."""
LATENCY_COLUMNS: Final = (
    "duration_calls",
    "duration_sum_ms",
    "duration_quantiles_ms",
    "ttft_calls",
    "ttft_sum_ms",
    "ttft_quantiles_ms",
)
MEASURE_COLUMNS: Final = (*COUNT_COLUMNS, *MONEY_COLUMNS, *BILLED_COLUMNS, *LATENCY_COLUMNS)

_QUANTILES: Final = "(0.5, 0.9, 0.95, 0.99)"


def measures_of_events() -> str:
    """The measures as aggregates over rows of events aliased `e`, in the order of MEASURE_COLUMNS."""
    return ", ".join(
        (
            "count()",
            "countIf(isNull(e.cost))",
            *(f"sum(e.{column})" for column in (*TOKEN_FIELDS, *MONEY_COLUMNS)),
            *(f"sum(if(isNull(e.repriced_at), e.{column}, e.billed_{column}))" for column in MONEY_COLUMNS),
            "countIf(isNull(if(isNull(e.repriced_at), e.cost, e.billed_cost)))",
            *(
                f"count(e.{name}_ms), ifNull(sum(e.{name}_ms), 0), quantilesTDigestState{_QUANTILES}(e.{name}_ms)"
                for name in ("duration", "ttft")
            ),
        )
    )


def measures_of_periods() -> str:
    """The measures as aggregates over rows of a finer usage view aliased `e`, in the order of MEASURE_COLUMNS."""
    return ", ".join(
        (
            *(f"sum(e.{column})" for column in (*COUNT_COLUMNS, *MONEY_COLUMNS, *BILLED_COLUMNS)),
            *(
                f"sum(e.{name}_calls), sum(e.{name}_sum_ms), "
                f"quantilesTDigestMergeState{_QUANTILES}(e.{name}_quantiles_ms)"
                for name in ("duration", "ttft")
            ),
        )
    )

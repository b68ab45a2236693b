"""The tables of a company's file that are no plain prices: `[[discount]]`, `[[alias]]` and `[[self_hosted]]`.

The form is told in docs/prices.md. Every reader raises WrongCall with the line, the reason and the fix.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Final

from tokenweir.pricing.aliases import Alias
from tokenweir.pricing.contracts import Discount
from tokenweir.pricing.price import STANDARD, Price, Rate, RateCard, service_tier_name
from tokenweir.pricing.price_tables import match_of, names_in, period, recorded_time
from tokenweir.pricing.toml_tables import Table

_PERIOD_KEYS: Final = frozenset(("id", "vendor", "match", "valid_from", "valid_to", "recorded_at", "source"))
_DISCOUNT_KEYS: Final = _PERIOD_KEYS | {"models", "service_tiers", "regions", "percent", "factor"}
_ALIAS_KEYS: Final = _PERIOD_KEYS | {"names", "means"}
_MEANS_KEYS: Final = frozenset(("vendor", "model"))
_HOURLY_KEYS: Final = frozenset(("currency", "per_gpu_hour", "gpus", "tokens_per_hour", "weights"))
_SELF_HOSTED_KEYS: Final = _PERIOD_KEYS | _HOURLY_KEYS | {"models", "regions"}
_SPREAD_OVER: Final = ("input", "cache_read", "output")
GPU_SECONDS: Final = "gpu_seconds"
_HOUR_SECONDS: Final = 3600
_HUNDRED: Final = Decimal(100)
_THROUGHPUT: Final = "tokens_per_hour = { input = 20000000, output = 4000000 }"


def discount_row(row: Table, label: str, file_recorded_at: datetime | None) -> Discount:
    """A discount: so many percent off the list price, or the list price times a factor."""
    table = row.values
    row.refuse_unknown(table, _DISCOUNT_KEYS)
    vendor = row.text("vendor")
    match, named = None, "*"
    if "models" in table or "match" in table:
        match, named = match_of(row)
    valid_from, valid_to = period(row)
    tiers = names_in(row, "service_tiers", "batch")
    regions = names_in(row, "regions", "eu-*")
    factor, terms = _discount_factor(row)
    what = "".join((named, *(f"/{tier}" for tier in tiers), terms, _from(valid_from), _in(regions)))
    return Discount(
        discount_id=row.text("id", "") or f"{label}:{vendor}/{what}",
        vendor=vendor,
        match=match,
        factor=factor,
        recorded_at=recorded_time(row, file_recorded_at),
        source=row.text("source"),
        service_tiers=tuple(service_tier_name(tier) for tier in tiers),
        regions=regions,
        valid_from=valid_from,
        valid_to=valid_to,
    )


def _discount_factor(row: Table) -> tuple[tuple[int, int], str]:
    percent, factor = row.values.get("percent"), row.values.get("factor")
    if (percent is None) == (factor is None):
        raise row.wrong(
            "percent",
            "the discount is not stated, or stated twice",
            "give either percent = 12.5 or factor = 0.875",
        )
    if percent is None:
        row.picos("factor", factor)
        return Decimal(str(factor)).as_integer_ratio(), f"*{factor}"
    row.picos("percent", percent)
    off = Decimal(str(percent))
    if off > _HUNDRED:
        raise row.wrong("percent", f"percent {off} leaves a negative price", "take off 100 at most")
    left = Fraction(_HUNDRED - off) * Fraction(1, 100)
    return left.as_integer_ratio(), f"-{off}%"


def alias_row(row: Table, label: str, file_recorded_at: datetime | None) -> Alias:
    """An alias: names of a vendor that mean another name, of the same vendor where none is told."""
    row.refuse_unknown(row.values, _ALIAS_KEYS)
    vendor = row.text("vendor")
    match, named = match_of(row, "names")
    valid_from, valid_to = period(row)
    means_vendor, means_model = _meaning(row, vendor)
    return Alias(
        alias_id=row.text("id", "") or f"{label}:{vendor}/{named}{_from(valid_from)}",
        vendor=vendor,
        match=match,
        means_vendor=means_vendor,
        means_model=means_model,
        recorded_at=recorded_time(row, file_recorded_at),
        source=row.text("source"),
        valid_from=valid_from,
        valid_to=valid_to,
    )


def _meaning(row: Table, vendor: str) -> tuple[str, str]:
    means = row.values.get("means")
    if isinstance(means, Mapping):
        row.refuse_unknown(means, _MEANS_KEYS)
    entry = means if isinstance(means, Mapping) else {"model": means}
    means_vendor, model = entry.get("vendor", vendor), entry.get("model")
    if not (isinstance(model, str) and model and isinstance(means_vendor, str) and means_vendor):
        raise row.wrong(
            "means",
            "what the name means is not told",
            'write means = "gpt-4o", or means = { vendor = "openai", model = "gpt-4o" }',
        )
    return means_vendor, model


def self_hosted_row(row: Table, label: str, file_recorded_at: datetime | None) -> Price:
    """A price of hours of GPUs: spread over the tokens of an hour, and by the unit `gpu_seconds` where a call says it.

    An hour costs H = per_gpu_hour times gpus. In an hour in which n tokens of each kind were measured, each of
    weight w, a token of weight w costs H times w over the sum of n times w. So the tokens of that hour cost H together,
    exactly.
    """
    table = row.values
    row.refuse_unknown(table, _SELF_HOSTED_KEYS)
    vendor = row.text("vendor")
    match, named = match_of(row)
    valid_from, valid_to = period(row)
    regions = names_in(row, "regions", "eu-*")
    per_gpu_hour = row.picos("per_gpu_hour", table.get("per_gpu_hour"))
    by_the_second = RateCard(
        (
            ("input", Rate(0, 1)),
            ("output", Rate(0, 1)),
            (GPU_SECONDS, Rate(per_gpu_hour, _HOUR_SECONDS)),
        ),
        with_unit=GPU_SECONDS,
    )
    return Price(
        price_id=row.text("id", "") or f"{label}:{vendor}/{named}{_from(valid_from)}{_in(regions)}",
        vendor=vendor,
        match=match,
        cards=(RateCard(_spread_over_tokens(row, per_gpu_hour)), by_the_second),
        currency=row.currency(),
        recorded_at=recorded_time(row, file_recorded_at),
        source=row.text("source"),
        service_tier=STANDARD,
        regions=regions,
        valid_from=valid_from,
        valid_to=valid_to,
    )


def _spread_over_tokens(row: Table, per_gpu_hour: int) -> tuple[tuple[str, Rate], ...]:
    """Rates for a token of each kind; none where no throughput is stated, so that a call has to say its seconds."""
    measured = row.values.get("tokens_per_hour")
    if measured is None:
        for key in ("gpus", "weights"):
            if key in row.values:
                raise row.wrong(
                    key, f"{key} says nothing without tokens_per_hour", f"add it, or leave {key} out"
                )
        return ()
    hour = per_gpu_hour * _positive(row, "gpus", row.values.get("gpus", 1))
    weights = _by_kind(row, "weights", row.values.get("weights", {}))
    if isinstance(measured, Mapping):
        counts = _by_kind(row, "tokens_per_hour", measured)
        in_all = sum((count * weights.get(name, 1) for name, count in counts.items()), Fraction(0))
        shares = {name: weights.get(name, Fraction(1)) for name in counts}
    else:
        in_all = _positive(row, "tokens_per_hour", measured)
        shares = {"input": Fraction(1), "output": Fraction(1)}
    if "input" not in shares and "output" not in shares:
        raise row.wrong(
            "tokens_per_hour", "neither input nor output tokens were measured", f"write {_THROUGHPUT}"
        )
    if weights.keys() - (shares.keys() if isinstance(measured, Mapping) else set()):
        raise row.wrong(
            "weights", "a weight is for a kind of token that was not measured apart", f"write {_THROUGHPUT}"
        )
    rates = {
        name: hour * share * Fraction(in_all.denominator, in_all.numerator) for name, share in shares.items()
    }
    # One denominator for all, so that a call's parts can be reckoned together.
    per = lcm(*(rate.denominator for rate in rates.values()))
    return tuple(
        (name, Rate(rate.numerator * (per // rate.denominator), per)) for name, rate in rates.items()
    )


def _by_kind(row: Table, key: str, table: object) -> dict[str, Fraction]:
    if not isinstance(table, Mapping):
        raise row.wrong(key, f"{key} is a table", f"write {key} = {{ input = 1, output = 4 }}")
    row.refuse_unknown(table, frozenset(_SPREAD_OVER))
    return {name: _positive(row, key, value) for name, value in table.items()}


def _positive(row: Table, key: str, value: object) -> Fraction:
    """An exact number above zero."""
    if not row.picos(key, value):
        raise row.wrong(key, f"{key} has a 0 in it", "write what was measured; leave out what was not")
    return Fraction(Decimal(str(value)))


def _in(regions: tuple[str, ...]) -> str:
    return f"[{','.join(regions)}]" if regions else ""


def _from(valid_from: datetime | None) -> str:
    return f"@{valid_from:%Y-%m-%d}" if valid_from else ""

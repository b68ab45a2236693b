"""What a call costs once an allowance has covered some of it.

Invariants: each part is its whole times the share that is still charged, rounded once, half to even; the parts sum to
the cost; what is covered whole costs 0; the list cost stays as it is. In another currency the native parts are covered
and then converted as always.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Final, NamedTuple

from tokenweir.money import divide_half_even
from tokenweir.pricing.allowance_counts import group_of, most_charged
from tokenweir.pricing.calculation import REPORTED, NativeParts, to_usd
from tokenweir.pricing.components import MINIMUM_CHARGE
from tokenweir.pricing.contracts import bounded_id
from tokenweir.pricing.price import Priced


class Coverage(NamedTuple):
    """What allowances cover of a call.

    taken: (allowance id, how much of it), in the order of use; empty where none covers any. charged: by group
    (`tokenweir.pricing.allowance_counts`) the share that is still charged, for every group that the call uses.
    """

    taken: tuple[tuple[str, Fraction], ...]
    charged: Mapping[str, Fraction]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to charge."""
        return bool(self.taken) and not most_charged(self.charged)


NOT_COVERED: Final = Coverage((), {})


def covered(priced: Priced, native: NativeParts | None, coverage: Coverage) -> Priced:
    """`priced`, less what `coverage` covers. native: of the same price; None where the call has none.

    A call without a price that is covered whole costs nothing and has no list cost; one that is covered in part stays
    without a price, as what is left of it has none.
    """
    if not coverage.taken:
        return priced
    allowances = "+".join(allowance_id for allowance_id, _ in coverage.taken)
    price_id = bounded_id(f"{allowances}+{priced.price_id}" if priced.price_id else allowances)
    if native is None:
        if not coverage.is_whole:
            return priced
        return priced._replace(
            cost_picos=0, native_cost_picos=0, price_id=price_id, price_status="allowance", unpriced_reason=""
        )
    parts = tuple((name, _share_of(picos, _charged(name, coverage))) for name, picos in native.parts)
    rate = native.fx_rate_picos
    if rate is None:
        left = sum(picos for _, picos in parts)
        if left:
            return priced._replace(native_cost_picos=left, price_id=price_id)
        return priced._replace(
            cost_picos=0, native_cost_picos=0, price_id=price_id, price_status="allowance", unpriced_reason=""
        )
    cost, native_cost, usd_parts = to_usd(parts, rate)
    return priced._replace(
        cost_picos=cost,
        native_cost_picos=native_cost,
        parts=usd_parts,
        price_id=price_id,
        price_status="allowance",
    )


def _charged(component: str, coverage: Coverage) -> Fraction:
    """The share of a part that is still charged; of one that is for the call as a whole the largest of any group."""
    if component in (REPORTED, MINIMUM_CHARGE):
        return most_charged(coverage.charged)
    return coverage.charged.get(group_of(component), Fraction(1))


def _share_of(picos: int, share: Fraction) -> int:
    return divide_half_even(picos * share.numerator, share.denominator)

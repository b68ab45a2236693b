"""What an allowance counts of a call, and which parts of the call's cost that covers.

A call is counted by *groups*: all its input tokens, all its output tokens, each unit under its own name, and the call
itself (`requests`). An allowance weighs kinds: a kind of token that it does not weigh apart counts as what is around
it does, as with prices (`tokenweir.pricing.components`), so a group is counted whole or not at all. Of each group a
share between 0 and 1 is still to be charged.

Exact: weights and counts are fractions, never rounded.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from tokenweir.pricing.components import (
    MOST_SPECIFIC_FIRST,
    REQUESTS,
    TOKEN_COMPONENTS,
    UNIT_ALIASES,
    UNIT_PARENTS,
    UNIT_TOKEN_FIELDS,
    WITHIN,
    NoPrice,
    exact_ratio,
    token_counts,
)

TOTALS: Final = ("input", "output")
EVERY_TOKEN_ONCE: Final[Mapping[str, Fraction]] = {name: Fraction(1) for name in TOTALS}
NONE_CHARGED: Final = Fraction(0)
ALL_CHARGED: Final = Fraction(1)


def group_of(component: str) -> str:
    """The group in which a component of a cost is counted: `input`, `output`, or the unit that it is part of."""
    token = TOKEN_COMPONENTS.get(component)
    if token is not None:
        return "input" if "in" in token.dimensions else "output"
    return UNIT_PARENTS.get(component, component)


def groups_used(event: Any) -> dict[str, Fraction]:
    """The groups of which the call used any, all still to be charged; empty where it used nothing.

    event: anything with the attributes of UsageEvent. `requests` is among them for a call that was answered or used
    anything, as with prices; a call that failed and used nothing is none.
    """
    groups = {total: ALL_CHARGED for total in TOTALS if getattr(event, f"{total}_tokens")}
    for name, amount in event.units.items():
        if amount and name not in UNIT_TOKEN_FIELDS:
            groups[group_of(UNIT_ALIASES.get(name, name))] = ALL_CHARGED
    if groups or event.status == "ok":
        groups[REQUESTS] = ALL_CHARGED
    return groups


def counted(event: Any, weights: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """By group, how much of an allowance with these weights the whole call counts; zero counts are left out.

    Empty for a call whose counts cannot be told exactly; such a call has no price either, for that reason.
    """
    try:
        counts = _counted_tokens(event, weights)
        for group, amount in _unit_amounts(event).items():
            if group in weights:
                counts[group] = weights[group] * amount
    except NoPrice:
        return {}
    if REQUESTS in weights:
        counts[REQUESTS] = weights[REQUESTS]
    return {group: count for group, count in counts.items() if count}


def _counted_tokens(event: Any, weights: Mapping[str, Fraction]) -> dict[str, Fraction]:
    if not any(total in weights for total in TOTALS):
        return {}
    tokens = token_counts(event)
    left = dict.fromkeys(weights, 0)
    counts = dict.fromkeys(TOTALS, NONE_CHARGED)
    for component in MOST_SPECIFIC_FIRST:
        name = component.name
        if name in weights:
            inner = sum(left[within] for within in WITHIN[name] if within in left)
            left[name] = max(tokens[name] - inner, 0)
            if left[name]:
                counts[group_of(name)] += weights[name] * left[name]
    return counts


def _unit_amounts(event: Any) -> dict[str, Fraction]:
    """Amounts of the units by group: of a unit that others are part of the whole, or the sum of these alone."""
    wholes: dict[str, Fraction] = {}
    inner: dict[str, Fraction] = {}
    for name, amount in event.units.items():
        if not amount or name in UNIT_TOKEN_FIELDS:
            continue
        own_name = UNIT_ALIASES.get(name, name)
        group = group_of(own_name)
        amounts = wholes if group == own_name else inner
        amounts[group] = amounts.get(group, NONE_CHARGED) + Fraction(*exact_ratio(name, amount))
    return inner | wholes


def needed(counts: Mapping[str, Fraction], charged: Mapping[str, Fraction]) -> Fraction:
    """How much of an allowance what is still to be charged of a call takes. counts: of the whole call."""
    need = NONE_CHARGED
    for group, count in counts.items():
        share = most_charged(charged) if group == REQUESTS else charged.get(group, NONE_CHARGED)
        need += count if share is ALL_CHARGED else count * share
    return need


def most_charged(charged: Mapping[str, Fraction]) -> Fraction:
    """The largest share of a call's groups that is still to be charged; of `requests` only where it has no other."""
    shares = [share for group, share in charged.items() if group != REQUESTS]
    return max(shares) if shares else charged.get(REQUESTS, NONE_CHARGED)

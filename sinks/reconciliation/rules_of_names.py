"""One model or key under two names: told first, and compared as one by the rules after it."""

from collections.abc import Sequence
from typing import Final

from sinks.reconciliation.findings import Case, Finding, Rule
from sinks.reconciliation.measures import Pair, tokens_agree

_MOST_NAMES: Final = 20


def keys_not_labelled(case: Case) -> Sequence[Finding]:
    """No key is named alike, so nothing is compared by key."""
    if not case.sides.strange_keys:
        return ()
    facts = case.sides.facts
    return [
        Finding(
            reason="keys_not_labelled",
            sentence="no key has the same name in the bill and in the ledger, so they are not compared by key: give "
            "the vendor's ids your names of them (labels in the settings), and events an api_key",
            evidence={
                "billed_keys": sorted({one.api_key for one in facts.bills if one.api_key})[:_MOST_NAMES],
                "metered_keys": sorted({one.api_key for one in facts.ledger if one.api_key})[:_MOST_NAMES],
            },
        )
    ]


def model_alias(case: Case) -> Sequence[Finding]:
    """A model that only the bill names and one that only the ledger names, with the same tokens: one model."""
    return _aliases(case, "model")


def key_alias(case: Case) -> Sequence[Finding]:
    """The same of keys; calls that state no key count as one that only the ledger names."""
    return _aliases(case, "api_key")


def _aliases(case: Case, dimension: str) -> list[Finding]:
    sides = case.sides
    if dimension not in sides.tokens.dimensions:
        return []
    sums = {getattr(key, dimension): pair for key, pair in sides.tokens.by(dimension).pairs.items()}
    billed = {name: pair.bill for name, pair in sums.items() if pair.bill.tokens and not pair.ledger.tokens}
    metered = {
        name: pair.ledger for name, pair in sums.items() if pair.ledger.tokens and not pair.bill.tokens
    }
    found = []
    for name, bill in sorted(billed.items()):
        other = next(
            (
                other
                for other, ledger in sorted(metered.items())
                if tokens_agree(Pair(bill, ledger), case.tolerance)
            ),
            None,
        )
        if not name or other is None:
            continue
        del metered[other]
        sides.tokens = sides.tokens.renamed(dimension, other, name)
        sides.cost = sides.cost.renamed(dimension, other, name)
        found.append(
            Finding(
                reason="model_alias" if dimension == "model" else "key_alias",
                sentence=f"the bill's {name} is the ledger's {other or 'calls without a key'}: their tokens agree",
                model=name if dimension == "model" else "",
                api_key=name if dimension == "api_key" else "",
                tokens=0,
                evidence={"metered_as": other, "billed_tokens": bill.tokens},
            )
        )
    return found


ORDER: Final[tuple[Rule, ...]] = (keys_not_labelled, model_alias, key_alias)
"""In the order in which they are asked."""

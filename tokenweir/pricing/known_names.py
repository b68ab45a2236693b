"""The names of vendors and models that anything is known of, and which of them a name is nearest to.

A discount on a mistyped model would never be taken off, an alias to one would price nothing, and nobody would be told.
So a company's file that gives a name which no source has a price of, and which it does not price itself, is refused,
with the nearest names.

Sources are made of rules, not of lists of names: what stands in a rule counts as a name.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from tokenweir.errors import WrongCall
from tokenweir.pricing.allowances import Allowance
from tokenweir.pricing.components import REQUESTS, TOKEN_COMPONENTS
from tokenweir.pricing.contracts import ANY_VENDOR, Discount
from tokenweir.pricing.matching import Match
from tokenweir.pricing.overlay import Overlay
from tokenweir.pricing.price import EVERY_MODEL, Price
from tokenweir.pricing.sources import PriceSource
from tokenweir.pricing.spellings import model_behind
from tokenweir.pricing.toml_tables import Table

MAX_NEAREST: Final = 3
"""How many near names are worth naming."""

_NEAR: Final = 0.6
_NEAR_ELSEWHERE: Final = 0.8
_AROUND_A_NAME: Final = re.compile(
    r"^.*/|^(?:us|eu|apac|jp|au|ca|global)\.|^(?:anthropic|meta|amazon|mistral|cohere|deepseek|qwen)\."
    r"|[-@]20\d\d-?\d\d-?\d\d|-v\d+(?::\d+)?$|-latest$|:[a-z]+$"
)


def refuse_unknown_names(company: Overlay, sources: Sequence[PriceSource]) -> None:
    """Raise WrongCall for the first of `unknown_names`."""
    for mistake in unknown_names(company, sources):
        raise mistake


def unknown_names(company: Overlay, sources: Sequence[PriceSource]) -> Iterator[WrongCall]:
    """A mistake for each discount, alias or allowance of `company` that names what nobody knows.

    That is a vendor, a model, or a unit that an allowance counts. sources: of public prices. The names of the company's
    aliases count for its discounts and allowances.
    """
    if not (company.discount_tables or company.alias_tables or company.allowance_tables):
        return
    names = KnownNames((*sources, company))
    for alias, table in company.alias_tables:
        if alias.means_vendor not in names.vendors:
            yield table.wrong(
                "means", f"unknown vendor {alias.means_vendor}", _nearest(alias.means_vendor, names.vendors)
            )
        elif not names.has_model(alias.means_vendor, alias.means_model):
            yield table.wrong(
                "means",
                f"no source knows a model {alias.means_model} of {alias.means_vendor}",
                _nearest(alias.means_model, names.of(alias.means_vendor), names.everyone),
            )
    for alias, _ in company.alias_tables:
        names.add(alias.vendor, alias.match)
    contracts: list[tuple[Discount | Allowance, Table]] = [
        *company.discount_tables,
        *company.allowance_tables,
    ]
    for contract, table in contracts:
        if contract.vendor != ANY_VENDOR and contract.vendor not in names.vendors:
            yield table.wrong(
                "vendor", f"unknown vendor {contract.vendor}", _nearest(contract.vendor, names.vendors)
            )
            continue
        rule = contract.match
        if rule is None:
            continue
        vendors = sorted(names.vendors) if contract.vendor == ANY_VENDOR else [contract.vendor]
        for each in rule.rules if rule.operation == "or" else (rule,):
            if not any(names.has_any(vendor, each) for vendor in vendors):
                of_whom = "" if contract.vendor == ANY_VENDOR else f" of {contract.vendor}"
                text = each.text or str(each)
                yield table.wrong(
                    re.sub(r"\W+$", "", text) if each.text and "models" in table.values else "match",
                    f"no source knows a model {text}{of_whom}",
                    _nearest(text, [name for vendor in vendors for name in names.of(vendor)], names.everyone),
                )
    yield from _unknown_units(company, sources)


def _unknown_units(company: Overlay, sources: Sequence[PriceSource]) -> Iterator[WrongCall]:
    named = [
        (name, table)
        for allowance, table in company.allowance_tables
        for name in allowance.kinds
        if name not in TOKEN_COMPONENTS and name != REQUESTS
    ]
    if not named:
        return
    known = {name for source in (*sources, company) for row in source.rows() for name in _units(row)}
    for name, table in named:
        if name not in known:
            yield table.wrong(name, f"no source has a price of the unit {name}", _nearest(name, known))


def _units(row: Price) -> Iterator[str]:
    return (name for card in row.cards for name, _ in card.rates if name not in TOKEN_COMPONENTS)


class KnownNames:
    """The vendors of some sources, and what stands in the rules of their rows."""

    def __init__(self, sources: Iterable[PriceSource]) -> None:
        self._sources = tuple(sources)
        self._names: dict[str, set[str]] = {}
        self._added: list[tuple[str, Match]] = []
        for source in self._sources:
            for row in source.rows():
                self._names.setdefault(row.vendor, set()).update(_texts(row.match))

    @property
    def vendors(self) -> set[str]:
        """Every vendor."""
        return set(self._names)

    @property
    def everyone(self) -> set[str]:
        """The names of all vendors."""
        return set().union(*self._names.values())

    def of(self, vendor: str) -> set[str]:
        """The names of a vendor."""
        return self._names.get(vendor, set())

    def add(self, vendor: str, match: Match) -> None:
        """Take the names of a rule for known."""
        self._names.setdefault(vendor, set()).update(_texts(match))
        self._added.append((vendor, match))

    def has_model(self, vendor: str, model: str) -> bool:
        """Whether any row means this model, or the one behind this spelling."""
        if any(self._rows(vendor, model)):
            return True
        if any(one == vendor and match.holds(model.lower()) for one, match in self._added):
            return True
        behind = model_behind(vendor, model)
        return behind is not None and self.has_model(behind.vendor, behind.model)

    def has_any(self, vendor: str, rule: Match) -> bool:
        """Whether the rule means any model of the vendor."""
        if rule.operation == "equals":
            return self.has_model(vendor, rule.text)
        if rule.operation == "starts_with" and self.has_model(vendor, rule.text):
            return True
        return any(rule.holds(name) for name in self.of(vendor))

    def nearest(self, vendor: str, model: str) -> list[tuple[str, str]]:
        """Vendors and names that this may have been meant for, the nearest first; the vendor's own before others'.

        What surrounds a name (a path, a region, a date, a version) does not count. A vendor that is not known may have
        been meant for one of a like name.
        """
        alike = [vendor] if vendor in self._names else get_close_matches(vendor.lower(), self.vendors, 1)
        name = _bare(model)
        of_whom: dict[str, list[tuple[str, str]]] = {}
        for whose in alike:
            for known in sorted(self.of(whose)):
                of_whom.setdefault(_bare(known), []).append((whose, known))
        near = get_close_matches(name, of_whom, 2 * MAX_NEAREST, _NEAR)
        elsewhere: dict[str, list[tuple[str, str]]] = {}
        for whose in sorted(self.vendors - set(alike)):
            for known in sorted(self.of(whose)):
                elsewhere.setdefault(_bare(known), []).append((whose, known))
        alike_names = [of_whom[close] for close in near]
        alike_names += [
            elsewhere[close] for close in get_close_matches(name, elsewhere, MAX_NEAREST, _NEAR_ELSEWHERE)
        ]
        # The plain name of each before its dated ones.
        firsts = [min(pairs, key=lambda pair: len(pair[1])) for pairs in alike_names]
        rest = [pair for pairs in alike_names for pair in pairs if pair not in firsts]
        return [pair for pair in (*firsts, *rest) if pair != (vendor, model.lower())]

    def _rows(self, vendor: str, model: str) -> Iterator[Price]:
        for source in self._sources:
            yield from source.rows_for(vendor, model)


def _bare(name: str) -> str:
    """A name without what vendors and gateways put around it."""
    bare = name.lower()
    while (shorter := _AROUND_A_NAME.sub("", bare)) and shorter != bare:
        bare = shorter
    return bare


def _texts(match: Match) -> Iterator[str]:
    """What stands in a rule, in lower case; regular expressions are no names, nor is what a rule leaves out."""
    if match.operation == "not" or match.text == EVERY_MODEL:
        return
    if match.rules:
        for rule in match.rules:
            yield from _texts(rule)
    elif match.operation != "regex":
        yield match.text.lower()


def _nearest(name: str, *names: Iterable[str]) -> str:
    """What to do about `name`: the nearest of the first `names` that hold any that is near."""
    for known in names:
        near = get_close_matches(name.lower(), sorted(known), MAX_NEAREST)
        if near:
            return "did you mean " + ", ".join(near) + "?"
    return "mend the name, or give the model a price of its own in a [[price]] or [[self_hosted]] table"

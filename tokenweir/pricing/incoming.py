"""A newer state of prices, of a feed or of a file, taken apart into cells: names that it prices alike.

A feed's name means the first model whose rule holds, a file's row stands over the rows before it. Beside the rows that
are recorded already neither order would be kept, so each cell's rule says which other names it leaves out.

Limits: a rule for many names (a beginning, a pattern) is looked at by one name that it states. The data of genai-prices
names no date of its own, so a state that is older than the last cannot be told from a newer one.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol

from tokenweir.errors import WrongCall
from tokenweir.pricing.aliases import Meaning
from tokenweir.pricing.exchange import ExchangeRate
from tokenweir.pricing.finding import ranked_rows
from tokenweir.pricing.genai_feed import GenaiFeed
from tokenweir.pricing.matching import Match, rules_of
from tokenweir.pricing.overlay import Overlay, read_overlay
from tokenweir.pricing.price import END, Price
from tokenweir.pricing.sources import PriceSource

FEED: Final = "genai-prices"
_TIME: Final = re.compile(r"(@\d{4}-\d\d-\d\d)?(\[.*\])?(#[\w-]+)?$")
_ANCHORED: Final = re.compile(r"\^([a-z0-9_/:@-]*)(?![?*{+])")
_TEXT_OPERATIONS: Final = ("equals", "starts_with", "ends_with", "contains")


@dataclass(frozen=True, slots=True)
class Cell:
    """Names that a newer state prices alike.

    rule: that means them. sample: one of them. rows: the state's, in order of precedence. others: rules for names that
    the state prices otherwise, though `rule` means them, too.
    """

    vendor: str
    label: str
    rule: Match
    sample: str
    rows: tuple[Price, ...]
    others: tuple[Match, ...]


class Incoming(Protocol):
    """A newer state. feed: whose it is, empty for a file. source: what it is called."""

    feed: str
    source: str

    def vendors(self) -> list[str]:
        """Whom it has prices of."""

    def cells(self, vendor: str) -> Iterator[Cell]:
        """What it prices of the vendor, cell by cell."""

    def is_as_before(self, vendor: str, before: Sequence[PriceSource]) -> bool:
        """Whether the vendor's prices are, as a whole, those of the state before."""

    def prices(self, vendor: str, model: str) -> bool:
        """Whether it has a price for the name, or one that could not be read."""

    def unread(self) -> Mapping[str, str]:
        """What could not be read, with the reason; whole once every vendor's cells were looked at."""

    def exchange_rates(self) -> Sequence[ExchangeRate]:
        """The exchange rates in it."""


class IncomingFeed:
    """A state of genai-prices."""

    feed = FEED

    def __init__(self, feed: GenaiFeed) -> None:
        self.state = feed
        self.source = feed.source

    def vendors(self) -> list[str]:
        """Whom it has prices of."""
        return self.state.vendors()

    def cells(self, vendor: str) -> Iterator[Cell]:
        """A cell for each rule of each model that means a name which no earlier model means."""
        offers = self.state.offers(vendor)
        # What could not be read means its names all the same.
        before = [rule for match in self.state.skipped_rules.get(vendor, ()) for rule in rules_of(match)]
        for offer in offers:
            label, rules = _label(offer[0]), rules_of(offer[0].match)
            # Later rows of the feed stand over earlier ones, those for certain hours over all others.
            last_first = offer[::-1]
            ranked = tuple(sorted(last_first, key=lambda row: row.schedule is None))
            yield from _cells(vendor, label, rules, before, lambda _, rows=ranked: rows)  # type: ignore[misc]
            before += rules

    def is_as_before(self, vendor: str, before: Sequence[PriceSource]) -> bool:
        """Whether the vendor's prices are those of another state, from which nothing has been recorded since."""
        first, *others = before
        if not isinstance(first, GenaiFeed) or any(
            row.vendor == vendor for each in others for row in each.rows()
        ):
            return False
        return _said(self.state.offers(vendor)) == _said(first.offers(vendor))

    def prices(self, vendor: str, model: str) -> bool:
        """Whether it has a price for the name, or one that could not be read."""
        if self.state.rows_for(vendor, model):
            return True
        return any(rule.holds(model.lower()) for rule in self.state.skipped_rules.get(vendor, ()))

    def unread(self) -> Mapping[str, str]:
        """The feed's models that are of a form that is not known here, with the reason."""
        return self.state.skipped

    def exchange_rates(self) -> Sequence[ExchangeRate]:
        """None: the feed is in USD."""
        return ()


class IncomingFile:
    """A price file in the form of docs/prices.md."""

    feed = ""

    def __init__(self, overlay: Overlay, source: str) -> None:
        self.source = source
        self._overlay = overlay

    def vendors(self) -> list[str]:
        """Whom it has prices of."""
        return sorted({row.vendor for row in self._overlay.rows()})

    def cells(self, vendor: str) -> Iterator[Cell]:
        """A cell for each rule, the last row's first; it takes in all rows that mean its name."""
        before: list[Match] = []
        for row in reversed([row for row in self._overlay.rows() if row.vendor == vendor]):
            rules = [rule for rule in rules_of(row.match) if rule not in before]
            yield from _cells(vendor, _label(row), rules, before, lambda name: self._ranked(vendor, name))
            before += rules

    def is_as_before(self, vendor: str, before: Sequence[PriceSource]) -> bool:
        """Never taken for granted: a file is short."""
        return False

    def prices(self, vendor: str, model: str) -> bool:
        """Whether it has any price for the name."""
        return bool(self._overlay.rows_for(vendor, model))

    def unread(self) -> Mapping[str, str]:
        """Nothing: a file with a mistake is refused."""
        return {}

    def exchange_rates(self) -> Sequence[ExchangeRate]:
        """The exchange rates in it."""
        return self._overlay.exchange_rates

    def _ranked(self, vendor: str, name: str) -> tuple[Price, ...]:
        # The file's own times of recording decide within it; once it is taken in, its rows have one.
        rows = ranked_rows([self._overlay], Meaning(vendor, name), None, END)
        return tuple(rows)


def read_incoming(text: str, name: str) -> Incoming:
    """The newer state that a file holds: TOML in the form of docs/prices.md, or the `data.json` of genai-prices.

    Raises WrongCall for anything else, and for a price file with a mistake.
    """
    if _is_json(text):
        return IncomingFeed(GenaiFeed(_providers(text, name), source=f"{FEED} ({name})"))
    return IncomingFile(read_overlay(text, name, kind="public"), name)


def read_state(text: str, name: str) -> PriceSource:
    """The prices of a file as they stand there: of the feed's data, or of a price file, a company's as well."""
    if _is_json(text):
        return GenaiFeed(_providers(text, name), source=f"{FEED} ({name})")
    return read_overlay(text, name)


def _is_json(text: str) -> bool:
    start = text.lstrip()[:2]
    return start[:1] in ("[", "{") and start != "[["


def _providers(text: str, name: str) -> Any:
    # What the package's own UpdatePrices reads its published data with; it has no public name.
    from genai_prices.types import _providers_from_raw
    from pydantic import ValidationError

    try:
        document = json.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise WrongCall(
            f"{name} is neither a price file nor JSON: {error}",
            hint="Give a TOML file as docs/prices.md tells it, or the data.json of genai-prices",
        ) from error
    if isinstance(document, dict):
        document = document.get("providers")
    if not isinstance(document, list) or not document:
        raise WrongCall(
            f"{name} is JSON without a list of providers",
            hint="Give the data.json of genai-prices (prices/new_data/v2/data.json there)",
        )
    try:
        return _providers_from_raw(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise WrongCall(
            f"{name}: {where}: {first['msg']}",
            hint=f"Give a data.json of the installed genai-prices' form, or bring {FEED} up to date",
        ) from error


def _cells(
    vendor: str,
    label: str,
    rules: Sequence[Match],
    before: Sequence[Match],
    rows_of: Callable[[str], tuple[Price, ...]],
) -> Iterator[Cell]:
    """A cell for each of a model's rules. A pattern of which no name can be made is looked at by another's name."""
    samples = {rule: _sample(rule, label, before) for rule in rules}
    other = next((sample for sample in samples.values() if sample), "")
    for rule, found in samples.items():
        sample = found or ("" if rule.operation in _TEXT_OPERATIONS else other)
        if sample:
            others = tuple(other for other in before if _may_share(other, rule))
            yield Cell(vendor, label, rule, sample, rows_of(sample), others)


def _sample(rule: Match, label: str, before: Iterable[Match]) -> str:
    """A name that `rule` means and no rule of `before` does; empty where none is found."""
    texts = [label.lower(), *(part.text.lower() for part in _parts(rule))]
    before = list(before)
    for text in texts:
        for name in (text, f"{text}-2026-01-01", f"{text}-x"):
            if rule.holds(name) and not any(other.holds(name) for other in before):
                return name
    return ""


def _parts(rule: Match) -> Iterator[Match]:
    if rule.rules:
        for inner in rule.rules:
            yield from _parts(inner)
    else:
        yield rule


def _may_share(one: Match, other: Match) -> bool:
    """Whether a name may be meant by both; True where that cannot be seen."""
    if one.operation == "equals":
        return other.holds(one.text.lower())
    if other.operation == "equals":
        return one.holds(other.text.lower())
    first, second = _beginning(one), _beginning(other)
    return first.startswith(second) or second.startswith(first)


def _beginning(rule: Match) -> str:
    """How every name that the rule means begins; empty where that cannot be seen."""
    if rule.operation == "starts_with":
        return rule.text.lower()
    if rule.operation == "regex" and "|" not in rule.text and (found := _ANCHORED.match(rule.text)):
        return found[1]
    return ""


def _said(offers: Iterable[Sequence[Price]]) -> list[Any]:
    """What the offers say, without where it comes from."""
    return [
        [
            (row.match, row.service_tier, row.valid_from, row.valid_to, row.schedule, row.cards)
            for row in offer
        ]
        for offer in offers
    ]


def _label(row: Price) -> str:
    """What the row calls its model: its id without the source, the vendor and the time."""
    name = _TIME.sub("", row.price_id).partition(":")[2]
    return name.removeprefix(f"{row.vendor}/") or row.price_id

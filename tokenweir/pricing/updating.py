"""What a newer state of prices adds to the book. Pure: nothing is read, written or timed here.

Only what is new becomes a row: what the state prices otherwise than its predecessor did, unless the book says so
already. So the project's corrections of the feed stay until the feed moves. Nothing earlier moves: every row is known
from the moment of the update, and one to which the state gives no start holds from that moment, too, wherever the book
had a price before, or a reason why there is none; where it knew nothing, the price holds for earlier calls as well,
which are then no longer unpriced.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise

from tokenweir.pricing.aliases import Meaning
from tokenweir.pricing.exchange import ExchangeRate, ExchangeRates
from tokenweir.pricing.finding import ranked_rows
from tokenweir.pricing.incoming import Cell, Incoming
from tokenweir.pricing.matching import Match, rules_of
from tokenweir.pricing.price import BEGINNING, END, STANDARD, Price
from tokenweir.pricing.sources import PriceSource
from tokenweir.pricing.timeline import edges_of, rows_at, terms


@dataclass(frozen=True, slots=True)
class Addition:
    """A row that is added. label: of its model; before: what the book said when it begins, or said before that."""

    row: Price
    label: str
    before: Price | None


@dataclass(frozen=True, slots=True)
class Vanished:
    """A model that the state no longer has. row: what the book still says of it."""

    row: Price
    sample: str


@dataclass(frozen=True, slots=True)
class Update:
    """What a newer state comes to.

    additions: rows, in the order in which they are written. carried: the book's rows for regions, which an addition
    for all regions would hide, said again. rates: exchange rates. unread: models of the state that could not be read,
    with the reason; of these nothing is said.
    """

    additions: tuple[Addition, ...]
    carried: tuple[Price, ...]
    vanished: tuple[Vanished, ...]
    rates: tuple[ExchangeRate, ...]
    unread: Mapping[str, str]

    def rows(self) -> list[Price]:
        """Every row to write."""
        return [*(addition.row for addition in self.additions), *self.carried]


class Updating:
    """Holds a newer state beside the book.

    book: the public sources as they are now. predecessor: those of them that the state follows; for a file of its own
    that is the whole book. known: exchange rates as they are now. now: when the update becomes known.
    """

    def __init__(
        self,
        incoming: Incoming,
        book: Sequence[PriceSource],
        predecessor: Sequence[PriceSource],
        known: ExchangeRates,
        now: datetime,
    ) -> None:
        self._incoming = incoming
        self._book = book
        self._predecessor = predecessor
        self._known = known
        self._now = now

    def update(self, *, end_vanished: bool = False) -> Update:
        """What is to be added. end_vanished: models that the state no longer has get an end."""
        additions: list[Addition] = []
        carried: list[Price] = []
        for vendor in self._incoming.vendors():
            if self._incoming.is_as_before(vendor, self._predecessor):
                continue
            for addition, regional in self._of_vendor(vendor):
                additions.append(addition)
                carried += regional
        vanished = tuple(self._vanished())
        if end_vanished:
            additions += map(self._end, vanished)
        return Update(
            tuple(additions),
            tuple(dict.fromkeys(carried)),
            vanished,
            tuple(self._rates()),
            dict(self._incoming.unread()),
        )

    def _of_vendor(self, vendor: str) -> Iterator[tuple[Addition, list[Price]]]:
        """The additions, rows of one model that say the same of several of its names as one."""
        groups: dict[tuple[str, Price], tuple[list[Cell], Price | None, list[Price]]] = {}
        for cell in self._incoming.cells(vendor):
            for row, before, regional in self._of_cell(cell):
                group = groups.setdefault((cell.label, row), ([], before, []))
                group[0].append(cell)
                group[2].extend(regional)
        for (label, row), (cells, before, regional) in groups.items():
            match = _narrowed(cells)
            yield (
                Addition(replace(row, match=match), label, before),
                [replace(each, match=match) for each in regional],
            )

    def _of_cell(self, cell: Cell) -> Iterator[tuple[Price, Price | None, list[Price]]]:
        name = Meaning(cell.vendor, cell.sample)
        book = ranked_rows(self._book, name, None, END)
        said = book if self._predecessor is self._book else ranked_rows(self._predecessor, name, None, END)
        for tier, regions in dict.fromkeys((row.service_tier, row.regions) for row in cell.rows):
            new = [row for row in cell.rows if row.regions == regions]
            here = [row for row in book if row.regions == regions]
            there = [row for row in said if row.regions == regions]
            for row, starts_at, ends_at in self._pieces(new, there, here, tier):
                before = next(iter(rows_at(here, tier, max(starts_at, BEGINNING))), None)
                if before is None:
                    earlier = [
                        each for each in here if each.service_tier == tier and each.starts_at < starts_at
                    ]
                    before = max(earlier, key=lambda each: each.starts_at, default=None)
                regional = [] if regions else self._regional(book, tier, starts_at, ends_at)
                recorded = self._recorded(row, starts_at, ends_at)
                if self._incoming.feed:
                    recorded = replace(recorded, source_at=self._now.date())
                yield recorded, before, regional

    def _pieces(
        self, new: Sequence[Price], said: Sequence[Price], book: Sequence[Price], tier: str
    ) -> Iterator[tuple[Price, datetime, datetime]]:
        """Each new row with the spans in which it says something new."""
        spans: dict[Price, list[tuple[datetime, datetime]]] = {}
        for starts_at, ends_at in pairwise(edges_of([*new, *said, *book], self._now)):
            rows = rows_at(new, tier, starts_at)
            stated = terms(rows)
            now_said = rows_at(book, tier, starts_at)
            if not rows or stated in (terms(rows_at(said, tier, starts_at)), terms(now_said)):
                continue
            if now_said and starts_at < self._now and all(row.valid_from is None for row in rows):
                continue
            for row in rows:
                known = spans.setdefault(row, [])
                if known and known[-1][1] == starts_at:
                    known[-1] = (known[-1][0], ends_at)
                else:
                    known.append((starts_at, ends_at))
        for row, found in spans.items():
            for starts_at, ends_at in found:
                yield row, starts_at, ends_at

    def _recorded(self, row: Price, starts_at: datetime, ends_at: datetime) -> Price:
        """The row for one span, under an id of its own."""
        since = "" if starts_at in (BEGINNING, row.valid_from) else f"@{starts_at.astimezone(UTC):%Y-%m-%d}"
        return replace(
            row,
            price_id=f"{row.price_id}{since}~{self._now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
            recorded_at=self._now,
            # "undated" is for a price that holds for all earlier time.
            confidence="feed" if row.confidence == "undated" and starts_at != BEGINNING else row.confidence,
            valid_from=None if starts_at == BEGINNING else starts_at,
            valid_to=None if ends_at == END else ends_at,
        )

    def _regional(
        self, book: Sequence[Price], tier: str, starts_at: datetime, ends_at: datetime
    ) -> list[Price]:
        """The book's rows for regions that hold within the span, as rows of this update."""
        found = []
        for regions in {row.regions for row in book if row.regions}:
            rows = [row for row in book if row.regions == regions]
            for edge, next_edge in pairwise(edges_of(rows, starts_at, ends_at)):
                if starts_at <= edge < ends_at:
                    found += [
                        self._recorded(row, edge, next_edge)
                        for row in rows_at(rows, tier, edge)
                        if row.recorded_at < self._now
                    ]
        return found

    def _vanished(self) -> Iterator[Vanished]:
        """The models of the predecessor that the state has no price of, where the book has none from elsewhere."""
        if not self._incoming.feed:
            return
        seen: set[tuple[str, str]] = set()
        moved: dict[str, bool] = {}
        for source in self._predecessor:
            for row in source.rows():
                if row.vendor not in moved:
                    moved[row.vendor] = not self._incoming.is_as_before(row.vendor, self._predecessor)
                if not moved[row.vendor]:
                    continue
                for rule in rules_of(row.match):
                    name = rule.text.lower()
                    if rule.operation not in ("equals", "starts_with") or (row.vendor, name) in seen:
                        continue
                    seen.add((row.vendor, name))
                    if self._incoming.prices(row.vendor, name):
                        continue
                    meaning = Meaning(row.vendor, name)
                    here = rows_at(ranked_rows(self._book, meaning, "", END), STANDARD, self._now)
                    there = rows_at(ranked_rows(self._predecessor, meaning, "", END), STANDARD, self._now)
                    if here and here == there and not here[0].no_price:
                        yield Vanished(replace(here[0], match=rule), name)

    def _end(self, vanished: Vanished) -> Addition:
        row = vanished.row
        ended = replace(
            self._recorded(row, self._now, END),
            cards=(),
            currency="",
            schedule=None,
            factor=None,
            factor_of=frozenset(),
            source=self._incoming.source,
            source_at=self._now.date(),
            no_price=f"{self._incoming.source} no longer lists it",
        )
        return Addition(ended, vanished.sample, row)

    def _rates(self) -> Iterator[ExchangeRate]:
        for rate in self._incoming.exchange_rates():
            known, starts_at, ends_at = self._known.rate(rate.currency, rate.valid_from)
            if known != rate.picos or starts_at > rate.valid_from or ends_at < rate.valid_to:
                yield rate._replace(recorded_at=self._now)


def _narrowed(cells: Iterable[Cell]) -> Match:
    """The rule for the names of all the cells, without those that the state prices otherwise."""
    cells = list(cells)
    rules = tuple(dict.fromkeys(cell.rule for cell in cells))
    rule = rules[0] if len(rules) == 1 else Match("or", rules=rules)
    others = tuple(dict.fromkeys(other for cell in cells for other in cell.others if other not in rules))
    if not others:
        return rule
    other = others[0] if len(others) == 1 else Match("or", rules=others)
    return Match("and", rules=(rule, Match("not", rules=(other,))))

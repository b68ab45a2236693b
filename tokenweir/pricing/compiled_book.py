"""The compiled book: the rows of several sources in one run of bytes, of which a lookup reads only its vendor's.

A head line names the form, what the rows were made from and a checksum of all that follows. The second line is the
table of contents: by source the times at which its rows became known, and where the rows of each vendor begin and end.
Each vendor is a line of JSON: its groups of rows, each under its rule, and those that it borrows from other vendors.

The bytes are taken whole or not at all: what `opened` gives has been held against the checksum.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

from tokenweir.pricing.compiled_rows import listed_match, listed_price, match_of, price_of, read, written
from tokenweir.pricing.matching import Match
from tokenweir.pricing.offers import first_offer
from tokenweir.pricing.price import Price
from tokenweir.pricing.sources import RowGroup, SourceByVendor, VendorRows

_FORM: Final = "tokenweir-price-book"
_CHECKSUM_BYTES: Final = 32
_Places = Mapping[str, tuple[int, int]]


class NotThisBook(Exception):
    """The bytes are not the compiled book that was asked for; the text says why."""


class CompiledSource:
    """A SourceByVendor over a part of a compiled book.

    first_only: a name means the first group that fits (`tokenweir.pricing.offers`), not all that do.
    """

    def __init__(
        self, body: bytes, places: _Places, recorded_times: frozenset[datetime], *, first_only: bool
    ) -> None:
        self._body = body
        self._places = places
        self._recorded_times = recorded_times
        self._first_only = first_only
        self._by_vendor: dict[str, VendorRows] = {}

    def vendors(self) -> list[str]:
        """Vendors that it has rows of."""
        return list(self._places)

    def vendor_rows(self, vendor: str) -> VendorRows | None:
        """What it has of a vendor, read when it is first asked for."""
        known = self._by_vendor.get(vendor)
        if known is None and vendor in self._places:
            start, end = self._places[vendor]
            own, borrowed = read(self._body[start:end])
            known = VendorRows(_groups_of(vendor, own), _groups_of(vendor, borrowed))
            self._by_vendor[vendor] = known
        return known

    def rows_for(self, vendor: str, model: str) -> Sequence[Price]:
        """Rows that mean the model, in an order in which a later one wins over an equal earlier one."""
        if self._first_only:
            return first_offer(self.vendor_rows, vendor, model)
        found = self.vendor_rows(vendor)
        return () if found is None else found.rows_for(model)

    def rows(self) -> Iterator[Price]:
        """Every row, vendor by vendor."""
        for vendor in self._places:
            found = self.vendor_rows(vendor)
            yield from () if found is None else found.rows()

    def recorded_times(self) -> set[datetime]:
        """When any of the rows became known."""
        return set(self._recorded_times)


class _ListedGroup:
    """A RowGroup whose rows are made when they are first asked for."""

    __slots__ = ("_listed", "_rows", "_vendor", "match")

    def __init__(self, vendor: str, match: Match, listed: list[Any]) -> None:
        self._vendor = vendor
        self.match = match
        self._listed = listed
        self._rows: tuple[Price, ...] | None = None

    @property
    def rows(self) -> tuple[Price, ...]:
        """The rows, in order."""
        if self._rows is None:
            self._rows = tuple(price_of(self._vendor, self.match, each) for each in self._listed)
        return self._rows


def compiled(sources: Iterable[tuple[SourceByVendor, bool]], made_from: str) -> bytes:
    """The compiled book of these sources, each with whether a name means only its first group that fits.

    made_from: a fingerprint, in hexadecimal, of what the sources read.
    """
    contents = []
    lines: list[bytes] = []
    length = 0
    for source, first_only in sources:
        places: dict[str, tuple[int, int]] = {}
        for vendor in source.vendors():
            found = source.vendor_rows(vendor)
            if found is None:
                continue
            line = written([_listed_groups(found.groups), _listed_groups(found.borrowed)])
            places[vendor] = (length, length + len(line))
            lines.append(line)
            length += len(line) + 1
        times = sorted(moment.astimezone(UTC).isoformat() for moment in source.recorded_times())
        contents.append([int(first_only), times, places])
    following = b"\n".join((written(contents), *lines, b""))
    return f"{_FORM} {made_from} {_checksum(following)}\n".encode() + following


def opened(book: bytes, made_from: str) -> list[CompiledSource]:
    """The sources of a compiled book. Raises NotThisBook where it is another, of another form, or damaged."""
    head, _, following = book.partition(b"\n")
    parts = head.split(b" ")
    if len(parts) != 3 or parts[0] != _FORM.encode():
        raise NotThisBook("it is no compiled price book")
    if parts[1] != made_from.encode():
        raise NotThisBook("it was made from other prices")
    if parts[2] != _checksum(following).encode():
        raise NotThisBook("it is damaged")
    contents, _, body = following.partition(b"\n")
    return [
        CompiledSource(
            body,
            {vendor: (start, end) for vendor, (start, end) in places.items()},
            frozenset(map(datetime.fromisoformat, times)),
            first_only=bool(first_only),
        )
        for first_only, times, places in read(contents)
    ]


def _checksum(following: bytes) -> str:
    return blake2b(following, digest_size=_CHECKSUM_BYTES).hexdigest()


def _listed_groups(groups: Iterable[RowGroup]) -> list[Any]:
    return [[listed_match(group.match), [listed_price(row) for row in group.rows]] for group in groups]


def _groups_of(vendor: str, listed: list[Any]) -> list[_ListedGroup]:
    return [_ListedGroup(vendor, match_of(match), rows) for match, rows in listed]

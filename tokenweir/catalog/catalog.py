"""The catalog: which model a name means, what state it is in, and what takes its place.

Rows are only ever added. A later announcement is a row of its own with a later `recorded_at`; it replaces the facts
that it states, and `known_at` asks for what was known before it. The catalog has no clock. A vendor's rows are read
when the vendor is first asked for.
"""

import difflib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, NamedTuple, Protocol, Self

from tokenweir.catalog.model import Found, Model, State, Successor
from tokenweir.catalog.reading import (
    CatalogFile,
    Pointer,
    Row,
    read_catalog,
    read_catalog_file,
    refuse_repeats,
)
from tokenweir.catalog.view import VendorView

_MAX_NEAREST: Final = 5


class Layer(Protocol):
    """Where rows come from; a later layer's win."""

    def vendors(self) -> Sequence[str]:
        """The vendors of which it has rows."""

    def of_vendor(self, vendor: str) -> CatalogFile:
        """The rows of one vendor."""


class OwnLayer:
    """The project's own data: `tokenweir/catalog/data/VENDOR.toml`, or several `VENDOR-PART.toml`."""

    def __init__(self, folder: Traversable | None = None) -> None:
        folder = folder if folder is not None else files("tokenweir.catalog").joinpath("data")
        self._files: dict[str, list[Traversable]] = {}
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if entry.name.endswith(".toml"):
                vendor = entry.name.removesuffix(".toml").partition("-")[0]
                self._files.setdefault(vendor, []).append(entry)

    def vendors(self) -> Sequence[str]:
        """The vendors that have a file."""
        return tuple(self._files)

    def of_vendor(self, vendor: str) -> CatalogFile:
        """The rows of the vendor's files. Raises WrongCall for a file with a mistake."""
        read = [read_catalog(e.read_text(encoding="utf-8"), e.name) for e in self._files.get(vendor, ())]
        rows = tuple(row for file in read for row in file.rows)
        refuse_repeats(rows)
        return CatalogFile(rows, tuple(pointer for file in read for pointer in file.pointers))


class FileLayer:
    """The rows of one file, of any vendors."""

    def __init__(self, file: CatalogFile) -> None:
        self._file = file

    def vendors(self) -> Sequence[str]:
        """The vendors that its rows name."""
        named = [row.vendor for row in self._file.rows]
        named += [pointer.vendor for pointer in self._file.pointers]
        return tuple(dict.fromkeys(named))

    def of_vendor(self, vendor: str) -> CatalogFile:
        """The rows of the vendor."""
        return CatalogFile(
            tuple(row for row in self._file.rows if row.vendor == vendor),
            tuple(pointer for pointer in self._file.pointers if pointer.vendor == vendor),
        )


class Replacement(NamedTuple):
    """What to use instead of a model. model: None where it is not in the catalog. through: retired ones in between."""

    successor: Successor
    model: Model | None
    state: State
    through: tuple[str, ...]


class Catalog:
    """Rows of several layers, the later of which win."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = tuple(layers)
        self._vendors = tuple(sorted({vendor for layer in self._layers for vendor in layer.vendors()}))
        self._read: dict[str, tuple[tuple[Row, ...], tuple[Pointer, ...], list[datetime]]] = {}
        self._views: dict[tuple[str, int], VendorView] = {}

    @classmethod
    def default(cls, own_file: Path | None = None) -> Self:
        """The built-in catalog, and a company's file over it.

        Raises WrongCall for a file that has a mistake, with its line, the reason and the fix.
        """
        if own_file is None:
            return cls([OwnLayer()])
        company = FileLayer(read_catalog_file(own_file))
        catalog = cls([OwnLayer(), company])
        for vendor in company.vendors():
            catalog.check(vendor)
        return catalog

    @property
    def vendors(self) -> tuple[str, ...]:
        """The vendors of which there are rows, by name."""
        return self._vendors

    def find(
        self,
        vendor: str,
        name: str,
        *,
        platform: str = "",
        on: date | None = None,
        known_at: datetime | None = None,
    ) -> Found | None:
        """The model that `name` means at the vendor, and how it was found; None where it is not known.

        on: the day for names that mean another model from time to time (None: the newest). known_at: by what was known
        then (None: all that is known). platform: see Model.
        """
        return self._view(vendor, known_at).find(name, platform, on or _LAST_DAY)

    def model(
        self,
        vendor: str,
        name: str,
        *,
        platform: str = "",
        on: date | None = None,
        known_at: datetime | None = None,
    ) -> Model | None:
        """As `find`, without how."""
        found = self.find(vendor, name, platform=platform, on=on, known_at=known_at)
        return found.model if found is not None else None

    def models(self, vendor: str | None = None, *, known_at: datetime | None = None) -> Iterator[Model]:
        """Every model, of one vendor or all, by vendor and name."""
        for each in self._vendors if vendor is None else (vendor,):
            yield from self._view(each, known_at).models()

    def successors(
        self,
        vendor: str,
        name: str,
        *,
        on: date,
        platform: str = "",
        known_at: datetime | None = None,
    ) -> tuple[Replacement, ...]:
        """What the vendor names in the model's place; a successor that is itself retired on `on` is followed further.

        Empty where the model is not known or nothing is named.
        """
        model = self.model(vendor, name, platform=platform, on=on, known_at=known_at)
        found: dict[tuple[str, str], Replacement] = {}
        if model is not None:
            self._follow(model, on, known_at, (), {(model.vendor, model.model)}, found)
        return tuple(found.values())

    def predecessors(self, model: Model, *, known_at: datetime | None = None) -> list[Model]:
        """The models of the same vendor that name `model` as a successor."""
        return [
            earlier
            for earlier in self.models(model.vendor, known_at=known_at)
            for successor in earlier.successors
            if successor.vendor == model.vendor
            and self.model(successor.vendor, successor.model, known_at=known_at) == model
        ]

    def retiring(
        self, since: date, until: date, *, vendor: str | None = None, known_at: datetime | None = None
    ) -> list[Model]:
        """Models that retire from `since` up to but not `until`, the first to go first."""
        return sorted(
            (
                model
                for model in self.models(vendor, known_at=known_at)
                if model.retires_on is not None and since <= model.retires_on < until
            ),
            key=lambda model: (model.retires_on, model.vendor, model.model),
        )

    def nearest(self, name: str, vendor: str | None = None) -> list[tuple[str, str]]:
        """Vendors and names that `name` may have been meant for, the nearest first."""
        vendors = self._vendors if vendor is None else (vendor,)
        of: dict[str, list[tuple[str, str]]] = {}
        for each in vendors:
            for written in sorted(self._view(each, None).names()):
                of.setdefault(written.lower(), []).append((each, written))
        near = difflib.get_close_matches(name.lower(), of, _MAX_NEAREST, 0.6)
        return [pair for close in near for pair in of[close]][:_MAX_NEAREST]

    def check(self, vendor: str) -> None:
        """Raises WrongCall, with the line, for a successor or a pointer of the vendor that leads nowhere."""
        view = self._view(vendor, None)
        for model in view.models():
            for successor in model.successors:
                if successor.outside or self.model(successor.vendor, successor.model) is not None:
                    continue
                raise view.newest_row(model).table.wrong(
                    "successors",
                    f"{successor.vendor} has no model {successor.model} here",
                    f"{self._meant(successor.model, successor.vendor)}or say that it is not here: "
                    f'{{ model = "{successor.model}", outside = true }}',
                )
        for pointer in view.pointers():
            if view.find(pointer.model, "", pointer.valid_from) is None:
                raise pointer.table.wrong(
                    "model",
                    f"{vendor} has no model {pointer.model} here, or it points back",
                    f"{self._meant(pointer.model, vendor)}or add the model",
                )

    def _meant(self, name: str, vendor: str) -> str:
        near = self.nearest(name, vendor) if vendor in self._vendors else []
        return f"write {near[0][1]} if that is meant, " if near else "mend the name, "

    def _follow(
        self,
        model: Model,
        on: date,
        known_at: datetime | None,
        through: tuple[str, ...],
        passed: set[tuple[str, str]],
        found: dict[tuple[str, str], Replacement],
    ) -> None:
        for successor in model.successors:
            after = self.model(
                successor.vendor, successor.model, platform=model.platform, on=on, known_at=known_at
            )
            key = (successor.vendor, after.model if after is not None else successor.model)
            if key in passed or key in found:
                continue
            state: State = after.state_on(on) if after is not None else "unknown"
            if after is not None and state == "retired" and after.successors:
                self._follow(after, on, known_at, (*through, after.model), passed | {key}, found)
            else:
                found[key] = Replacement(successor, after, state, through)

    def _view(self, vendor: str, known_at: datetime | None) -> VendorView:
        """The vendor as known at a time: the same for all times between two at which something became known."""
        if vendor not in self._read:
            read = [layer.of_vendor(vendor) for layer in self._layers]
            rows = tuple(row for file in read for row in sorted(file.rows, key=lambda row: row.recorded_at))
            pointers = tuple(pointer for file in read for pointer in file.pointers)
            times = sorted({row.recorded_at for row in rows} | {pointer.recorded_at for pointer in pointers})
            self._read[vendor] = rows, pointers, times
        rows, pointers, times = self._read[vendor]
        epoch = len(times) if known_at is None else bisect_right(times, known_at)
        view = self._views.get((vendor, epoch))
        if view is None:
            known = times[:epoch]
            latest = known[-1] if known else None
            view = self._views[vendor, epoch] = VendorView(
                [row for row in rows if latest is not None and row.recorded_at <= latest],
                [pointer for pointer in pointers if latest is not None and pointer.recorded_at <= latest],
            )
        return view


_LAST_DAY: Final = date.max.replace(day=30)

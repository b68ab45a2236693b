"""The project's own price data: `data/*.toml`, a file a vendor, read when the vendor is first asked for.

A file is named after the one vendor whose prices it holds; `mistral_euro.toml` holds more of Mistral's. So a start
reads none of them through: it only looks at the lines that say when a price became known, as the book has to know all
of these times before its first answer.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from tokenweir.errors import WrongCall
from tokenweir.pricing.overlay import read_overlay
from tokenweir.pricing.price import Price
from tokenweir.pricing.sources import VendorRows, grouped

_RECORDED: Final = re.compile(r"^recorded_at = (\S+)", re.MULTILINE)


class OwnData:
    """A PriceSource over the files of a folder. Raises WrongCall where a file has a mistake, once it is read."""

    def __init__(self, folder: Traversable) -> None:
        """folder: what holds the files."""
        self._texts = {
            entry.name: entry.read_text(encoding="utf-8")
            for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
            if entry.name.endswith(".toml")
        }
        self._by_vendor: dict[str, VendorRows] = {}

    def vendors(self) -> list[str]:
        """Vendors that have a file."""
        return sorted({vendor_of(name) for name in self._texts})

    def vendor_rows(self, vendor: str) -> VendorRows | None:
        """The rows of a vendor's files, in the order of the files and their lines; None where it has no file."""
        known = self._by_vendor.get(vendor)
        if known is None:
            names = [name for name in self._texts if vendor_of(name) == vendor]
            if not names:
                return None
            known = grouped(row for name in names for row in _rows_of(self._texts[name], name))
            self._by_vendor[vendor] = known
        return known

    def rows_for(self, vendor: str, model: str) -> list[Price]:
        """Rows that mean the model, in the order of the files and their lines."""
        found = self.vendor_rows(vendor)
        return [] if found is None else found.rows_for(model)

    def rows(self) -> Iterator[Price]:
        """Every row, vendor by vendor."""
        for vendor in self.vendors():
            found = self.vendor_rows(vendor)
            yield from () if found is None else found.rows()

    def recorded_times(self) -> set[datetime]:
        """When any of the rows became known."""
        return {
            _moment(stated, name) for name, text in self._texts.items() for stated in _RECORDED.findall(text)
        }


@cache
def own_data() -> OwnData:
    """The files that come with Tokenweir. Its rows never change; one reading serves all books of a process."""
    return OwnData(files("tokenweir.pricing").joinpath("data"))


def vendor_of(name: str) -> str:
    """The vendor whose prices the file of this name holds."""
    return name.removesuffix(".toml").partition("_")[0]


def _rows_of(text: str, name: str) -> list[Price]:
    overlay = read_overlay(text, name, kind="public")
    rows = list(overlay.rows())
    for row in rows:
        if row.vendor != vendor_of(name):
            raise WrongCall(
                f"{name}: {row.price_id} is a price of {row.vendor}",
                hint=f"Keep it in {row.vendor}.toml: a file is read only when its own vendor is asked for",
            )
    if overlay.exchange_rates:
        raise WrongCall(f"{name}: exchange rates stand in exchange_rates.csv", hint="Move them there")
    return rows


def _moment(stated: str, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(stated)
    except ValueError:
        raise WrongCall(
            f"{name}: recorded_at {stated} is no date", hint="Write recorded_at = 2026-11-01"
        ) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)

"""The page of vendors lists what is read: every vendor, and of each the surfaces that it names."""

import re

from producers.vendors import surface_named, vendors
from producers.vendors.registry import ANY_VENDOR
from tests.docs.pages import ROOT

TABLE = (ROOT / "docs" / "vendors.md").read_text(encoding="utf-8").split("\n## Vendors\n")[1]
ROWS = [
    [re.findall(r"`(\w+)`", cell) for cell in line.split("|")[1:3]]
    for line in TABLE.splitlines()
    if line.startswith("| `")
]


def test_every_vendor_has_a_row() -> None:
    listed = [vendor for named, _ in ROWS for vendor in named]
    assert len(listed) == len(set(listed))
    assert set(listed) >= set(vendors()) - {ANY_VENDOR}


def test_every_surface_that_a_row_names_can_be_asked_for() -> None:
    for named, surfaces in ROWS:
        for vendor in named:
            for surface in surfaces:
                assert surface_named(vendor, surface) == surface

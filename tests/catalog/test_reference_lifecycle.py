"""The catalog beside a public collection of lifecycle facts: it has every model, and differs only by a newer source."""

import json
from datetime import date
from pathlib import Path

import pytest

from tokenweir.catalog import Catalog

_VENDORS = {"z-ai": "zhipu", "bedrock": "aws", "vertex": "google"}
_DATES = {"released_on": "released_on", "deprecated_on": "deprecated_on", "shutdown_on": "retires_on"}
_COLLECTION = "modeldeprecations.dev"


@pytest.mark.shared_data
def test_every_model_is_there_and_a_date_differs_only_where_a_later_source_says_so(shared_data: Path) -> None:
    entries = json.loads((shared_data / "model_lifecycle.json").read_text(encoding="utf-8"))
    catalog = Catalog.default()
    missing, wrong, agreed = [], [], 0
    for entry in entries:
        vendor = _VENDORS.get(entry["provider"], entry["provider"])
        platform = "vertex" if entry["provider"] == "vertex" else ""
        found = catalog.find(vendor, entry["model"], platform=platform)
        if found is None or found.how not in ("name", "alias"):
            missing.append((vendor, entry["model"]))
            continue
        for theirs, ours in _DATES.items():
            if theirs not in entry:
                continue
            expected, known = date.fromisoformat(entry[theirs][:10]), getattr(found.model, ours)
            source = found.model.sources.get(ours)
            if known == expected:
                agreed += 1
            elif source is None or _COLLECTION in source.via:
                wrong.append((vendor, entry["model"], ours, expected, known))
    assert (missing, wrong) == ([], [])
    assert agreed > 480

"""The project's own data: sound, read for its vendor only, and saying beforehand when a price became known."""

from collections import Counter
from pathlib import Path

import pytest

from tokenweir.errors import WrongCall
from tokenweir.pricing.own_data import OwnData, own_data, vendor_of

ROW = """
[[price]]
vendor = "{vendor}"
models = ["one"]
currency = "USD"
input = 1
recorded_at = 2026-11-0{day}
source = "a page"
"""


def folder(place: Path, **files: str) -> OwnData:
    for name, text in files.items():
        (place / f"{name}.toml").write_text(text)
    return OwnData(place)


def test_every_file_is_sound_and_every_row_has_a_name_of_its_own() -> None:
    names = Counter(row.price_id for row in own_data().rows())
    assert len(names) > 800
    assert [name for name, count in names.items() if count > 1] == []


def test_the_times_told_beforehand_are_those_of_the_rows() -> None:
    told, found = own_data().recorded_times(), {row.recorded_at for row in own_data().rows()}
    assert found <= told


def test_a_vendor_has_the_rows_of_all_its_files_and_no_others(tmp_path: Path) -> None:
    one, two = ROW.format(vendor="acme", day=1), ROW.format(vendor="acme", day=2)
    data = folder(tmp_path, acme=one, acme_euro=two, bravo="not = toml = at all")
    assert [row.recorded_at.day for row in data.rows_for("acme", "one")] == [1, 2]
    assert data.rows_for("nobody", "one") == []
    with pytest.raises(WrongCall, match=r"bravo\.toml"):
        data.rows_for("bravo", "one")


def test_a_row_in_the_file_of_another_vendor_is_refused(tmp_path: Path) -> None:
    data = folder(tmp_path, acme=ROW.format(vendor="bravo", day=1))
    with pytest.raises(WrongCall, match="a price of bravo") as refused:
        data.rows_for("acme", "one")
    assert "bravo.toml" in refused.value.hint


def test_a_time_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongCall, match="soon"):
        folder(tmp_path, acme="recorded_at = soon").recorded_times()


def test_a_file_is_named_after_its_vendor() -> None:
    assert [vendor_of(name) for name in ("mistral.toml", "mistral_euro.toml")] == ["mistral", "mistral"]

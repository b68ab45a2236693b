"""`weir unpriced` as its user meets it: what is held back, what it may have meant, and what helps."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.commands import weir, weir_json
from tests.end_to_end.running import event

pytestmark = [pytest.mark.xdist_group("end_to_end"), pytest.mark.timeout(600)]

CALLS = [
    event(1),
    event(2, model="gpt4o", team="a", service="x"),
    event(3, model="gpt4o", team="b", service="x"),
    event(4, units={"web_search": 3}),
    event(5, vendor="alibaba", model="qwen-max", time="2023-01-05T00:00:00Z"),
    event(6, vendor="acme", model="house-7b"),
]
ACME = """\
recorded_at = 2020-01-01

[[price]]
vendor = "acme"
models = ["house-7b"]
currency = "BRL"
input = 1
output = 2
source = "contract"
"""


def _unpriced(folder: Path, overlay: Path) -> list[dict[str, Any]]:
    extra = {"TOKENWEIR_PRICING__OVERLAY": str(overlay)}
    return list(weir_json("unpriced", "--json", "--data-dir", "ledger", cwd=folder, extra=extra))


def test_what_has_no_price_is_told_apart_weighed_and_mended(tmp_path: Path) -> None:
    overlay = tmp_path / "acme.toml"
    overlay.write_text(ACME)
    (tmp_path / "calls.ndjson").write_text("\n".join(map(json.dumps, CALLS)))
    extra = {"TOKENWEIR_PRICING__OVERLAY": str(overlay)}
    weir("ingest", "calls.ndjson", "--data-dir", "ledger", cwd=tmp_path, extra=extra)

    rows = _unpriced(tmp_path, overlay)
    assert {(row["model"], row["kind"], row["calls"]) for row in rows} == {
        ("gpt4o", "unknown_model", 2),
        ("gpt-4o", "unknown_unit", 1),
        ("qwen-max", "before_first_price", 1),
        ("house-7b", "no_exchange_rate", 1),
    }
    by_kind = {row["kind"]: row for row in rows}
    unknown = rows[0]
    assert unknown["nearest"][0] == {"vendor": "openai", "model": "gpt-4o"}
    assert (unknown["teams"], unknown["services"], unknown["calls_share"]) == (2, 1, "0.333333")
    assert unknown["tokens_share"] == "0.333333"
    assert not unknown["priced_now"]
    assert by_kind["unknown_unit"]["nearest_units"][0] == "web_searches"
    assert by_kind["unknown_unit"]["units"] == {"web_search": "3"}

    shown = weir(
        "unpriced", "--limit", "1", "--data-dir", "ledger", cwd=tmp_path, extra=extra
    ).stdout.decode()
    assert "33.33%" in shown
    assert 'names = ["gpt4o"]' in shown
    assert "3 more, 3 calls: --limit 4 shows them." in shown

    overlay.write_text(
        f'{ACME}\n{unknown["alias"]}\n[[exchange_rate]]\ncurrency = "BRL"\nusd_per_unit = 0.2\n'
        'valid_from = 2020-01-01\nsource = "treasury"\n'
    )
    mended = {row["kind"]: row["priced_now"] for row in _unpriced(tmp_path, overlay)}
    assert mended == {
        "unknown_model": True,
        "no_exchange_rate": True,
        "unknown_unit": False,
        "before_first_price": False,
    }


def test_nothing_is_unpriced(tmp_path: Path) -> None:
    (tmp_path / "calls.ndjson").write_text(json.dumps(event(1)))
    weir("ingest", "calls.ndjson", "--data-dir", "ledger", cwd=tmp_path)
    assert b"everything has a price" in weir("unpriced", "--data-dir", "ledger", cwd=tmp_path).stdout
    assert weir_json("unpriced", "--json", "--data-dir", "ledger", cwd=tmp_path) == []

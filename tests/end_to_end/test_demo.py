"""`weir demo` from end to end: the ledger it leaves is the independent sum of what was generated."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.end_to_end.commands import weir, weir_json

pytestmark = [pytest.mark.xdist_group("end_to_end"), pytest.mark.timeout(600)]


def test_the_demo_ends_with_an_exact_ledger(tmp_path: Path) -> None:
    summary = weir_json("demo", "--days", "2", "--no-wait", "--json", cwd=tmp_path)
    assert summary["exact"] is True
    assert summary["differences"] == []
    assert summary["expected"] == summary["ledger"]
    assert summary["repeated_reports"] > 0
    assert summary["ledger"]["unpriced_calls"] > 0
    assert len(summary["by_vendor"]) >= 8

    ledger = tmp_path / ".tokenweir" / "demo"
    (row,) = weir_json("spend", "--json", "--data-dir", ledger, cwd=tmp_path)
    assert row["calls"] == summary["ledger"]["calls"]
    by_team = weir_json("spend", "--by", "team,model", "--json", "--data-dir", ledger, cwd=tmp_path)
    assert sum(Decimal(row["cost"] or 0) for row in by_team) == Decimal(summary["ledger"]["cost"])
    raw = weir(
        "query", "SELECT count(), sum(cost) FROM usage", "--format", "TSV", "--data-dir", ledger, cwd=tmp_path
    )
    calls, cost = raw.stdout.split()
    assert (int(calls), Decimal(cost.decode())) == (
        summary["ledger"]["calls"],
        Decimal(summary["ledger"]["cost"]),
    )
    assert json.loads((ledger / "story.json").read_text())["incidents"]


def test_the_demo_does_not_touch_another_ledger(tmp_path: Path) -> None:
    event = {
        "id": "a:1",
        "source": "t",
        "time": "2026-01-01T00:00:00Z",
        "vendor": "openai",
        "model": "gpt-4o",
    }
    (tmp_path / "events.ndjson").write_text(json.dumps(event))
    weir("ingest", "events.ndjson", "--data-dir", "mine", cwd=tmp_path)
    refused = weir("demo", "--days", "1", "--no-wait", "--data-dir", "mine", cwd=tmp_path, status=2)
    assert b"no demo" in refused.stderr
    (row,) = weir_json("spend", "--json", "--data-dir", "mine", cwd=tmp_path)
    assert row["calls"] == 1

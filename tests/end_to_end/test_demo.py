"""`weir demo` from end to end: the ledger it leaves is the independent sum of what was generated."""

import json
from decimal import Decimal
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.end_to_end.commands import wait_for, weir, weir_json, weir_process

pytestmark = [pytest.mark.xdist_group("end_to_end"), pytest.mark.timeout(600)]


def test_the_demo_ends_with_an_exact_ledger(tmp_path: Path) -> None:
    summary = weir_json("demo", "--days", "2", "--calls-scale", "0.25", "--no-wait", "--json", cwd=tmp_path)
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


def test_a_demo_with_an_end_stands_at_it(tmp_path: Path) -> None:
    small = ("--days", "1", "--calls-scale", "0.01", "--port", "0", "--clickhouse-port", "0")
    note, log = tmp_path / "mine" / "running.json", tmp_path / "log"
    with weir_process(
        "demo", "--end", "2026-11-20T12:00Z", *small, "--data-dir", "mine", cwd=tmp_path, log=log
    ):
        wait_for("the demo is stored", lambda: "Ctrl-C" in log.read_text(), log=log)
        port = json.loads(note.read_text())["port"]
        with urlopen(f"http://127.0.0.1:{port}/api/ledger") as answer:
            told = json.load(answer)
    assert told == {"now": "2026-11-20T12:00:00Z", "empty": False, "first_at": "2026-11-19T00:00:00Z"}
    story = json.loads((tmp_path / "mine" / "story.json").read_text())
    assert (story["started_at"], story["ended_at"]) == ("2026-11-19T12:00:00Z", "2026-11-20T12:00:00Z")
    refused = weir("demo", "--end", "9999-01-01", "--no-wait", cwd=tmp_path, status=2)
    assert b"has not come yet" in refused.stderr


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

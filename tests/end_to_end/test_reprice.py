"""`weir reprice` as a person meets it: a price comes late, the run is killed with all it started, and run again."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from tests.end_to_end.commands import wait_for, weir, weir_json, weir_process

CALLS: Final = 2_000
PRICES: Final = """\
name = "acme"
recorded_at = 2026-10-01
[[price]]
vendor = "acme"
models = ["late"]
currency = "USD"
input = "2"
output = "5"
source = "contract"
"""


def write_calls(path: Path) -> None:
    lines = [
        {
            "id": f"acme:{number}",
            "source": "test",
            "time": f"2026-10-{1 + number % 28:02}T10:00:{number % 60:02}Z",
            "vendor": "openai" if number % 4 == 0 else "acme",
            "model": "gpt-4o" if number % 4 == 0 else "late",
            "team": f"team-{number % 3}",
            "input_tokens": 1_000 + number,
            "output_tokens": number,
        }
        for number in range(CALLS)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def total(folder: Path, *options: str) -> dict[str, Any]:
    (row,) = weir_json("spend", "--json", "--data-dir", "ledger", *options, cwd=folder)
    return {name: row[name] for name in ("calls", "unpriced_calls", "cost")}


def test_a_price_that_comes_late_is_taken_in_exactly_though_the_run_is_killed(tmp_path: Path) -> None:
    write_calls(tmp_path / "calls.ndjson")
    (tmp_path / "acme.toml").write_text(PRICES, encoding="utf-8")
    weir("ingest", "calls.ndjson", "--data-dir", "ledger", cwd=tmp_path)
    billed = total(tmp_path)
    late = [1_000 + number for number in range(CALLS) if number % 4]
    added = sum((Decimal(2 * tokens + 5 * (tokens - 1_000)) / 10**6 for tokens in late), Decimal(0))
    assert billed["unpriced_calls"] == len(late)

    command = ("reprice", "--unpriced", "--prices", "acme.toml", "--data-dir", "ledger")
    foreseen = weir_json(*command, "--dry-run", "--json", cwd=tmp_path)
    assert foreseen["dry_run"]
    assert (foreseen["changed_calls"], Decimal(foreseen["difference"])) == (len(late), added)
    assert total(tmp_path) == billed

    log = tmp_path / "reprice.log"
    with weir_process(*command, "--json", cwd=tmp_path, log=log) as process:
        journals = tmp_path / "ledger" / "repricing"

        def noted() -> bool:
            return any(b'"chunk"' in path.read_bytes() for path in journals.glob("*/journal.jsonl"))

        wait_for("a chunk is noted", noted, log=log)
        process.kill()
        process.wait()

    done = weir(*command, "--json", cwd=tmp_path)
    assert b"goes on with the run of" in done.stderr
    report = json.loads(done.stdout)
    for name in ("changed_calls", "cost_before", "cost_after", "difference", "newly_priced_calls"):
        assert report[name] == foreseen[name], name
    assert report["by_model"] == foreseen["by_model"]

    now = total(tmp_path)
    assert (now["calls"], now["unpriced_calls"]) == (CALLS, 0)
    assert Decimal(now["cost"]) == Decimal(billed["cost"]) + added
    assert total(tmp_path, "--prices", "billed") == billed
    again = weir_json(*command, "--json", cwd=tmp_path)
    assert (again["changed_calls"], again["calls"]) == (0, 0)

    refused = weir("reprice", "--where", "vendor=acme", "--data-dir", "ledger", cwd=tmp_path, status=2)
    assert b"1,500 of these calls were priced by the contracts of a price file" in refused.stderr
    assert total(tmp_path) == now


def test_what_cannot_be_asked_is_said(tmp_path: Path) -> None:
    for options, said in (
        ((), b"there is no ledger in"),
        (("--where", "team"), b"not of the form DIMENSION=VALUE"),
        (("--unpriced", "--where", "price_status=list"), b"--unpriced is itself a condition"),
    ):
        done = weir("reprice", "--data-dir", "nowhere", *options, cwd=tmp_path, status=2)
        assert said in done.stderr
    assert not (tmp_path / "nowhere").exists()

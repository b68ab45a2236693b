"""Real request traces through `weir ingest`, by the commands of docs/traces.md, down to the last digit of the cost."""

import csv
import json
import re
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.commands import weir, weir_json, weir_process

pytestmark = [pytest.mark.shared_data, pytest.mark.xdist_group("end_to_end"), pytest.mark.timeout(600)]

TRACES_PAGE = Path(__file__).parents[2] / "docs" / "traces.md"


@dataclass(frozen=True)
class Trace:
    """What a trace holds, as its publishers state it, and the public USD prices per million tokens."""

    file: str
    events: int
    input_tokens: int
    output_tokens: int
    prices: tuple[str, str, str]

    def rows(self, folder: Path) -> Iterator[tuple[int, int, int]]:
        """Input, cached and output tokens of each row, read without any code of ours."""
        with (folder / self.file).open(encoding="utf-8") as lines:
            if self.file.endswith(".csv"):
                for row in csv.DictReader(lines):
                    yield int(row["ContextTokens"]), 0, int(row["GeneratedTokens"])
            else:
                for line in lines:
                    entry = json.loads(line)
                    yield entry["input_length"], entry["cached_prefix_length"], entry["output_length"]

    def cost_usd(self, folder: Path) -> Decimal:
        """The sum outside the pipeline."""
        full, cached, output = map(Decimal, self.prices)
        return sum(
            (
                ((total - read) * full + read * cached + answered * output) / 1_000_000
                for total, read, answered in self.rows(folder)
            ),
            Decimal(0),
        )

    def command(self) -> list[str]:
        """The arguments of the `weir ingest` that docs/traces.md gives for this file."""
        page = TRACES_PAGE.read_text(encoding="utf-8").replace("\\\n", " ")
        found = re.search(rf"^weir (ingest {re.escape(self.file)} .*)$", page, re.MULTILINE)
        assert found, f"docs/traces.md has no command for {self.file}"
        return shlex.split(found[1])


TRACES = [
    Trace("azure_2023_code.csv", 8_819, 18_059_974, 245_896, ("30", "0", "60")),
    Trace("azure_2023_conv.csv", 19_366, 22_361_870, 4_088_665, ("3", "0", "4")),
    Trace("kimi_conversation.jsonl", 12_031, 144_793_823, 4_122_048, ("0.60", "0.15", "2.50")),
]


def totals(ledger: Path, cwd: Path) -> dict[str, Any]:
    (row,) = weir_json("spend", "--json", "--data-dir", ledger, cwd=cwd)
    return dict(row)


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.file)
def test_a_trace_is_stored_once_and_priced_exactly(trace: Trace, shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "traces"
    arguments = [str(folder / part) if part == trace.file else part for part in trace.command()]
    arguments += ["--data-dir", "ledger", "--json"]
    summary = weir_json(*arguments, cwd=tmp_path)
    assert summary["events"] == trace.events
    assert summary["rejected"] == 0

    row = totals(tmp_path / "ledger", tmp_path)
    assert row["calls"] == trace.events
    assert row["input_tokens"] == trace.input_tokens
    assert row["output_tokens"] == trace.output_tokens
    assert row["cache_read_tokens"] == sum(cached for _, cached, _ in trace.rows(folder))
    assert Decimal(row["cost"]) == trace.cost_usd(folder)
    assert row["unpriced_calls"] == 0

    again = weir_json(*arguments, cwd=tmp_path)
    assert again["events"] == trace.events
    assert totals(tmp_path / "ledger", tmp_path) == row


def test_a_run_killed_halfway_and_repeated_ends_at_the_same_figures(
    shared_data: Path, tmp_path: Path
) -> None:
    trace = TRACES[1]
    arguments = [
        str(shared_data / "traces" / part) if part == trace.file else part for part in trace.command()
    ]
    arguments += ["--data-dir", "ledger", "--json"]
    for seconds in (4.0, 7.0):
        with weir_process(*arguments, cwd=tmp_path, log=tmp_path / "killed.log") as process:
            time.sleep(seconds)
            process.kill()
    weir(*arguments, cwd=tmp_path)
    row = totals(tmp_path / "ledger", tmp_path)
    assert (row["calls"], row["input_tokens"], row["output_tokens"]) == (
        trace.events,
        trace.input_tokens,
        trace.output_tokens,
    )
    assert Decimal(row["cost"]) == trace.cost_usd(shared_data / "traces")

"""`weir whatif` on a ledger of a few real calls, as its user calls it."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.commands import weir
from tests.end_to_end.running import Up, start
from tokenweir.cli.root import run

Ask = Callable[..., str]

TIME = "2026-11-20T12:00:00Z"
FIXED = ("--at", "2026-11-21", "--since", "2026-11-20", "--until", "2026-11-22")


def sent(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"openai:chatcmpl-{number}",
        "source": "test",
        "time": TIME,
        "vendor": "openai",
        "model": "gpt-4o",
        "team": "search",
        "input_tokens": 100_000,
        "output_tokens": 10_000,
        **fields,
    }


CALLS = [
    sent(1),
    sent(2, team="ads", cache_read_tokens=40_000),
    sent(3, input_tokens=900_000),
    sent(4, service_tier="batch"),
    sent(5, model="gpt-4o-mini"),
    sent(6, vendor="azure", team="ads"),
    sent(7, model="house-model", vendor="vllm"),
]
PRICES = """
name = "acme"
recorded_at = 2026-01-01
[[discount]]
vendor = "openai"
models = ["gpt-4.1"]
percent = 10
source = "order form"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a ledger that nothing holds open."""
    path = tmp_path_factory.mktemp("whatif")
    (path / "events.ndjson").write_text("".join(json.dumps(one) + "\n" for one in CALLS))
    (path / "acme.toml").write_text(PRICES)
    weir("ingest", "events.ndjson", "--data-dir", "ledger", cwd=path)
    return path


@pytest.fixture
def ask(folder: Path, capfd: pytest.CaptureFixture[str]) -> Ask:
    """Runs `weir whatif` with some words in this process: what it prints, on standard error where it fails."""

    def run_it(*words: str, status: int = 0) -> str:
        assert run(["whatif", *words, "--data-dir", str(folder / "ledger")]) == status
        out, err = capfd.readouterr()
        return err if status else out

    return run_it


def one_of(text: str) -> dict[str, Any]:
    """The one candidate of an answer in JSON."""
    (one,) = json.loads(text)["candidates"]
    return dict(one)


def test_one_model_on_another(ask: Ask) -> None:
    answer = json.loads(ask("--from", "openai/gpt-4o", "--to", "openai/gpt-4.1", *FIXED, "--json"))
    (one,) = answer["candidates"]
    # gpt-4o at $2.50, $1.25 cached, $10 out, batch half: $0.35 + $0.30 + $2.35 + $0.175.
    # gpt-4.1 at $2.00, $0.50 cached, $8 out, batch half: $0.28 + $0.22 + $1.88 + $0.14.
    assert (one["calls"], one["left_out_calls"]) == (4, 0)
    assert (one["billed_usd"], one["same_prices_usd"], one["cost_usd"]) == ("3.175", "3.175", "2.52")
    assert (one["savings_usd"], one["savings_percent"], one["savings_usd_per_day"]) == (
        "0.655",
        "20.63",
        "0.3275",
    )
    assert answer["from"] == ["openai/gpt-4o"]
    assert answer["days"] == "2"
    assert [(row["team"], row["cost_usd"]) for row in one["workloads"]] == [
        ("search", "2.3"),
        ("ads", "0.22"),
    ]


def test_a_contract_lowers_the_cost_and_not_the_list_cost(ask: Ask, folder: Path) -> None:
    prices = ("--prices", str(folder / "acme.toml"))
    one = one_of(ask("--from", "openai/gpt-4o", "--to", "openai/gpt-4.1", *prices, *FIXED, "--json"))
    assert (one["cost_usd"], one["list_cost_usd"]) == ("2.268", "2.52")


def test_each_model_on_itself_at_its_own_time_costs_what_was_billed(ask: Ask) -> None:
    for model in ("openai/gpt-4o", "openai/gpt-4o-mini", "azure/gpt-4o"):
        one = one_of(ask("--from", model, "--to", model, "--at", "billed", "--json"))
        assert one["cost_usd"] == one["billed_usd"] == one["same_prices_usd"]
        assert Decimal(one["savings_usd"]) == 0


def test_what_cannot_carry_over_is_left_out_on_both_sides(ask: Ask) -> None:
    candidates = ("--to", "cerebras/gpt-oss-120b", "--to", "openai/gpt-4.1")
    answer = json.loads(ask("--from", "openai/gpt-4o", *candidates, *FIXED, "--json"))
    found = next(one for one in answer["candidates"] if one["vendor"] == "cerebras")
    # 131,072 tokens of context; no batch price is known; no price for cached tokens.
    assert {row["reason"]: row["calls"] for row in found["cannot_carry_over"]} == {
        "context_too_short": 1,
        "tier_not_offered": 1,
    }
    assert (found["calls"], found["billed_usd"]) == (2, "0.65")
    assert found["compared_with_billed"]["calls"] == 2
    # $0.35 and $0.75 a million.
    assert found["cost_usd"] == "0.085"
    assert any("40,000 cached tokens of 1 call cost as input, $0.014" in note for note in found["notes"])


def test_all_traffic_and_patterns(ask: Ask) -> None:
    everything = json.loads(ask("--to", "openai/gpt-4.1", *FIXED, "--json"))
    assert (everything["from"], everything["traffic"]["calls"]) == (None, 7)
    (one,) = everything["candidates"]
    assert (one["calls"], one["compared_with_billed"]["calls"]) == (7, 6)
    by_pattern = json.loads(ask("--from", "gpt-4o*", "--to", "openai/gpt-4.1", *FIXED, "--json"))
    assert by_pattern["traffic"]["calls"] == 6
    of_ads = one_of(ask("--to", "openai/gpt-4.1", "--where", "team=ads", "--by", "vendor", *FIXED, "--json"))
    assert [(row["vendor"], row["calls"]) for row in of_ads["workloads"]] == [("azure", 1), ("openai", 1)]


def test_options_of_the_candidate(ask: Ask) -> None:
    words = ("--from", "openai/gpt-4o", "--to", "cerebras/gpt-oss-120b", *FIXED, "--json")
    assert one_of(ask(*words, "--tier-fallback", "standard"))["calls"] == 3
    one = one_of(ask(*words, "--tokens-factor", "cerebras/gpt-oss-120b=1.1"))
    assert (one["tokens_factor"], one["cost_usd"]) == ("1.1", "0.0935")


def test_the_table_says_the_same(ask: Ask) -> None:
    shown = ask("--from", "openai/gpt-4o", "--to", "openai/gpt-4.1,cerebras/gpt-oss-120b", *FIXED)
    assert "4 calls from 2026-11-20 00:00 to 2026-11-22 00:00 UTC, billed $3.18" in shown
    assert "context_too_short" in shown
    assert "By workload" in shown
    assert "assumes the same token counts" in shown


def test_csv_lines_add_up_to_the_total(ask: Ask) -> None:
    text = ask("--from", "openai/gpt-4o", "--to", "openai/gpt-4.1", "--format", "csv", *FIXED)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["team"] for row in rows] == ["search", "ads"]
    assert sum(Decimal(row["cost_usd"]) for row in rows) == Decimal("2.52")


def test_no_calls_in_that_time(ask: Ask) -> None:
    words = ("--to", "openai/gpt-4.1", "--since", "2026-01-01", "--until", "2026-01-02")
    assert ask(*words) == "no such calls in that time\n"
    assert ask(*words, "--format", "csv").count("\n") == 1
    assert one_of(ask(*words, "--json"))["cost_usd"] is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "Missing option '--to'"),
        (("--to", ","), "names no candidate"),
        (("--to", "gpt-4o"), "Name one: azure/gpt-4o"),
        (("--to", "openai/gpt-4oh"), "Did you mean openai/gpt-4o"),
        (("--from", "gpt-4o", "--to", "openai/gpt-4.1"), "Name one: azure/gpt-4o, openai/gpt-4o"),
        (("--from", "gpt-3", "--to", "openai/gpt-4.1"), "no call is of gpt-3"),
        (("--to", "openai/gpt-4.1", "--by", "colour"), "nothing that usage is known by"),
        (("--to", "openai/gpt-4.1", "--where", "team"), "not of the form DIMENSION=VALUE"),
        (("--to", "openai/gpt-4.1", "--at", "someday"), "is not a time"),
        (("--to", "openai/gpt-4.1", "--tokens-factor", "1.1"), "not of the form MODEL=FACTOR"),
        (("--to", "openai/gpt-4.1", "--tokens-factor", "openai/gpt-4.1=0"), "is no factor"),
        (("--to", "openai/gpt-4.1", "--tokens-factor", "openai/gpt-4.1=nan"), "is no factor"),
        (("--to", "openai/gpt-4.1", "--tokens-factor", "openai/gpt-4o=1.1"), "which is no candidate"),
    ],
)
def test_wrong_calls_are_refused_with_what_to_do(ask: Ask, words: tuple[str, ...], says: str) -> None:
    assert says in ask(*words, status=2)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    yield from start(tmp_path)


def test_beside_a_running_pipeline(up: Up) -> None:
    up.post(*CALLS[:2])
    up.wait_for_calls(2)
    words = ("--to", "openai/gpt-4.1", "--at", "2026-11-21", "--data-dir", "ledger", "--json")
    one = one_of(weir("whatif", *words, cwd=up.folder).stdout.decode())
    assert (one["calls"], one["cost_usd"]) == (2, "0.5")

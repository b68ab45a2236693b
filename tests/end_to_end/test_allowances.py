"""Allowances as a person meets them: `weir price`, `allowances` and `reprice` with a file of contracts."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.end_to_end.commands import weir

FILE = """\
recorded_at = 2025-10-01
[[allowance]]
vendor = "openai"
amount = 250
source = "data sharing"
"""


def _price(folder: Path, lines: list[str], *options: str) -> list[dict[str, str]]:
    done = weir("price", "--prices", "acme.toml", *options, cwd=folder, stdin="\n".join(lines).encode())
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_weir_price_answers_each_line_in_its_place_whatever_the_order(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(FILE, encoding="utf-8")
    lines = [
        json.dumps(
            {
                "id": f"c{hour}",
                "time": f"2026-10-05T{hour:02}:00:00Z",
                "vendor": "openai",
                "model": "gpt-4o",
                "input_tokens": 100,
            }
        )
        for hour in range(4)
    ]
    mixed = [lines[3], "", "no json", lines[1], lines[1], lines[0], lines[2]]
    answers = _price(tmp_path, mixed)
    costs = [answer.get("cost") for answer in answers]
    assert costs == ["0.00025", None, "0", "0", "0", "0.000125"]
    assert answers[1]["line"] == 2
    assert {answer["list_cost"] for answer in answers if "list_cost" in answer} == {"0.00025"}
    by_id = {answer["id"]: answer for answer in answers if "id" in answer}
    assert by_id["c2"]["price_id"].startswith("acme:openai/*+")
    assert by_id["c2"]["price_status"] == "allowance"
    # Not yet known then; and prices of another date are asked for without allowances.
    assert all(
        "allowance" not in answer.values() for answer in _price(tmp_path, mixed, "--known-at", "2025-09-30")
    )
    at_prices_of_a_day = _price(tmp_path, mixed, "--at", "2026-10-05")
    assert {answer.get("price_status") for answer in at_prices_of_a_day} == {"list", None}
    # Lines without an id are calls of their own, all at the present.
    nameless = ['{"vendor":"openai","model":"gpt-4o","input_tokens":100}'] * 4
    assert [answer["cost"] for answer in _price(tmp_path, nameless)] == ["0", "0", "0.000125", "0.00025"]


PACKS = """\
recorded_at = 2025-10-01
[[allowance]]
id = "trial"
vendor = "zhipu"
models = ["glm-4.5*"]
amount = 1600
every = "day"
zone = "Asia/Shanghai"
source = "trial"
[[allowance]]
id = "pack"
vendor = "zhipu"
amount = 3000
counts = { input = 1, output = 0.5 }
per = []
source = "order 1"
[[allowance]]
id = "unused"
vendor = "openai"
amount = 3000
source = "order 2"
"""


def _ingest(folder: Path, name: str, days: Sequence[int]) -> None:
    """Stores twelve calls of each day of October 2025, hour by hour in turns of two tenants."""
    calls = [
        {
            "id": f"zhipu:{day}-{hour}",
            "source": "test",
            "time": f"2025-10-0{day}T{hour:02}:00:00Z",
            "tenant": "acme" if hour % 2 else "zeta",
            "vendor": "zhipu",
            "model": "glm-4.5",
            "input_tokens": 400,
            "output_tokens": 100,
        }
        for day in days
        for hour in range(12)
    ]
    (folder / name).write_text("\n".join(map(json.dumps, calls)), encoding="utf-8")
    weir("ingest", name, "--data-dir", "ledger", cwd=folder)


def test_weir_allowances_says_what_is_left_of_each(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(PACKS, encoding="utf-8")
    _ingest(tmp_path, "calls.jsonl", (2, 1))

    def allowances(*options: str) -> list[dict[str, Any]]:
        done = weir(
            "allowances", "--prices", "acme.toml", "--data-dir", "ledger", "--json", *options, cwd=tmp_path
        )
        return [row for row in json.loads(done.stdout) if row["allowance"] != "unused" or row["calls"]]

    # Each tenant has 1,600 a day: three calls of 500 and a fifth of the fourth. The pack takes four fifths of 450 of
    # that and 450 of each further call: by noon 2 * 360 + 4 * 450.
    pack, acme, zeta = allowances("--at", "2025-10-01T12:00Z")
    assert (pack["amount"], pack["used"], pack["left"], pack["calls"]) == (3000, 2520, 480, 6)
    assert pack["used_up_at"] is None
    assert [row["account"] for row in (acme, zeta)] == [{"tenant": "acme"}, {"tenant": "zeta"}]
    assert (acme["used"], acme["left"], acme["used_up_at"]) == (1600, 0, "2025-10-01T07:00:00Z")
    assert (acme["starts_at"], acme["ends_at"]) == ("2025-09-30T16:00:00Z", "2025-10-01T16:00:00Z")
    # Of the second day's fourth calls it has 480 left: 360 for one and 120 for the other.
    every = allowances("--since", "2025-10-01", "--at", "2025-10-03")
    assert [(row["allowance"], row["left"], row["calls"]) for row in every] == [
        ("pack", 0, 8),
        *[("trial", 0, 4)] * 4,
        ("trial", 1600, 0),
    ]
    assert every[0]["used_up_at"] == "2025-10-02T07:00:00Z"
    assert [row["allowance"] for row in allowances("--at", "2025-09-01")] == ["pack", "trial"]
    table = weir("allowances", "--prices", "acme.toml", "--data-dir", "ledger", cwd=tmp_path).stdout.decode()
    assert "unused" in table


def test_weir_reprice_settles_the_ledger_also_when_calls_come_late(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(PACKS, encoding="utf-8")
    overlay = {"TOKENWEIR_PRICING__OVERLAY": "acme.toml"}

    def reprice(*options: str) -> dict[str, Any]:
        done = weir("reprice", "--json", "--data-dir", "ledger", *options, cwd=tmp_path, extra=overlay)
        return dict(json.loads(done.stdout))

    def spend(*options: str) -> tuple[str, str]:
        done = weir("spend", "--json", "--data-dir", "ledger", *options, cwd=tmp_path, extra=overlay)
        (row,) = json.loads(done.stdout)
        return row["cost"], row["list_cost"]

    _ingest(tmp_path, "late.jsonl", (2,))
    # Of the 12 calls six are covered whole by the day's tokens, two are shared with the pack, and four are its own.
    assert reprice()["changed_calls"] == 12
    cost, listed = spend()
    assert cost == "0"
    _ingest(tmp_path, "early.jsonl", (1,))
    # Day 1 now has as much of the pack; of day 2 the pack has 480 left, for 360 and 120 of two calls.
    foreseen = reprice("--dry-run", "--since", "2025-10-01", "--until", "2025-10-02")
    done = reprice("--since", "2025-10-01", "--until", "2025-10-02")
    assert foreseen["changed_calls"] == done["changed_calls"] == 12 + 5
    cost, both_listed = spend()
    assert Decimal(both_listed) == 2 * Decimal(listed)
    # 240 of 450, that is so much of four fifths of a call, and four whole calls.
    whole = Decimal(listed) / 12
    shared = whole * Decimal("0.8") * 240 / 360
    assert abs(Decimal(cost) - (4 * whole + shared)) <= Decimal("1e-12")
    assert spend("--prices", "known") == spend("--prices", "billed") == (cost, both_listed)
    assert spend("--prices", "today")[0] == both_listed
    assert reprice()["changed_calls"] == 0


def test_weir_allowances_without_any_says_where_they_would_be(tmp_path: Path) -> None:
    for arguments in ((), ("--prices", "empty.toml")):
        (tmp_path / "empty.toml").write_text("recorded_at = 2025-10-01\n", encoding="utf-8")
        refused = weir("allowances", *arguments, cwd=tmp_path, status=2)
        assert b"there are no allowances" in refused.stderr
        assert b"--prices" in refused.stderr

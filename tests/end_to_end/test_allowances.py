"""Allowances as a person meets them: `weir price` with a file of contracts."""

import json
from pathlib import Path

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

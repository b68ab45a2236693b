"""A newer price, from the file to the ledger: taken in, used, and kept apart from what was known before."""

from pathlib import Path

from tests.end_to_end.commands import weir, weir_json

NEWER = """\
recorded_at = 2026-01-01
[[price]]
vendor = "openai"
models = ["gpt-4o"]
currency = "USD"
input = 2
output = 8
source = "price page"
"""
CALL = b'{"vendor": "openai", "model": "gpt-4o", "input_tokens": 1000000}'


def test_a_newer_price_is_taken_in_and_used_and_moves_nothing_earlier(tmp_path: Path) -> None:
    (tmp_path / "newer.toml").write_text(NEWER, encoding="utf-8")
    assert weir_json("migrate", "--json", cwd=tmp_path)["prices"] > 3000
    assert weir_json("migrate", "--json", cwd=tmp_path) == {
        "applied": [],
        "prices": 0,
        "models": 0,
        "budgets": 0,
    }
    before = weir_json("prices", "show", "openai/gpt-4o", "--json", cwd=tmp_path)[0]["at"]
    added = weir_json("prices", "update", "newer.toml", "--yes", "--json", cwd=tmp_path)["additions"]
    assert [(each["model"], each["change_percent"]["input"]) for each in added] == [("gpt-4o", "-20")]

    def cost(*words: str) -> str:
        found = weir_json("price", *words, cwd=tmp_path, stdin=CALL)["cost"]
        assert isinstance(found, str)
        return found

    assert cost() == "2"
    assert cost("--at", "2026-11-20") == cost("--known-at", before) == "2.5"
    assert weir_json("migrate", "--json", cwd=tmp_path)["prices"] == 1
    sql = f"SELECT count() FROM prices WHERE price_id = '{added[0]['price_id']}' AND rates['input'] = 2"
    assert weir("query", sql, "--format", "CSV", cwd=tmp_path).stdout == b"1\n"

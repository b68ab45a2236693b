"""`weir prices show`, `history` and `update`: what they print, and with which status they end."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from feed_json import as_json, installed_feed, model_of

from tokenweir.cli.root import run

Asked = Callable[..., Any]

OVERLAY = """\
name = "acme"
recorded_at = 2026-01-01
[[discount]]
vendor = "openai"
models = ["gpt-4o"]
percent = 10
valid_from = 2026-11-01
source = "order form"
[[alias]]
vendor = "azure"
names = ["prod"]
means = { vendor = "openai", model = "gpt-4o" }
source = "deployments"
[[price]]
vendor = "zhipu"
models = ["glm-4.6"]
regions = ["cn-*"]
valid_from = 2026-11-01
currency = "CNY"
input = 1
output = 2
source = "contract"
"""


@pytest.fixture
def asked(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    monkeypatch.chdir(tmp_path)

    def ask(*words: str, status: int = 0) -> Any:
        assert run(["prices", *words]) == status
        out, err = capsys.readouterr()
        if status:
            return err
        return json.loads(out) if "--json" in words else out

    return ask


def test_several_vendors_stand_beside_each_other(asked: Asked) -> None:
    found = asked("show", "gpt-4o", "--at", "2026-11-25", "--json")
    standard = {each["vendor"]: each for each in found if each["service_tier"] == "standard"}
    assert {"openai", "azure"} <= set(standard)
    assert standard["openai"]["rates"][0]["input"] == {"price": "2.5", "per": 1000000, "usd": "2.5"}
    assert standard["openai"]["rates"][0]["web_searches"] == {"price": "10", "per": 1000, "usd": "10"}
    assert {each["service_tier"] for each in found if each["vendor"] == "openai"} >= {"batch", "priority"}
    assert standard["openai"]["source"].startswith("genai-prices")
    assert standard["openai"]["recorded_at"] == "2026-11-09T00:00:00Z"
    table = asked("show", "gpt-4o", "--at", "2026-11-25")
    assert "genai:openai/gpt-4o" in table
    assert "known since 2026-11-09" in table


def test_every_hour_and_region_is_shown_with_when_it_holds(asked: Asked) -> None:
    found = asked("show", "deepseek/deepseek-flash", "--at", "2026-11-25T02:00", "--json")
    shown = {(each["currency"], bool(each["hours"])): each for each in found}
    assert {key: each["rates"][0]["input"]["price"] for key, each in shown.items()} == {
        ("USD", True): "0.3",
        ("USD", False): "0.15",
        ("CNY", True): "2",
        ("CNY", False): "1",
    }
    # Wednesday, ten in Beijing, is within the peak; the other price is told for when it next holds.
    assert [each["holds"] for each in shown.values()] == [bool(each["hours"]) for each in shown.values()]
    assert shown["USD", False]["at"] == "2026-11-25T04:00:00Z"
    assert shown["CNY", True]["fx_rate"] is not None
    assert "09:00-12:00 14:00-18:00 UTC+8" in asked(
        "show", "deepseek/deepseek-flash", "--at", "2026-11-25T02:00"
    )


def test_tiers_by_length_and_thinking_are_told(asked: Asked) -> None:
    (found,) = asked(
        "show", "alibaba/qwen-plus", "--region", "cn", "--tier", "standard", "--at", "2026-11-25", "--json"
    )
    assert [{k: v for k, v in card.items() if k.endswith("_above")} for card in found["rates"]][:3] == [
        {},
        {"reasoning_above": 0},
        {"input_above": 128000},
    ]
    assert "input > 128,000, thinking" in asked(
        "show", "alibaba/qwen-plus", "--region", "cn", "--tier", "standard", "--at", "2026-11-25"
    )


def test_what_a_contract_makes_of_it_stands_before_the_public_price(asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(OVERLAY, encoding="utf-8")
    words = ("--tier", "standard", "--at", "2026-11-25", "--prices", "acme.toml", "--json")
    (openai,) = asked("show", "openai/gpt-4o", *words)
    assert (openai["price_status"], openai["rates"][0]["input"]["price"]) == ("contract", "2.25")
    assert openai["list_rates"][0]["input"]["price"] == "2.5"
    assert set(openai["change_from_list_percent"].values()) == {"-10"}
    # What an alias costs is what Azure bills: the public price of the model, without OpenAI's discount.
    (azure,) = asked("show", "azure/prod", *words)
    assert azure["rates"][0]["input"]["price"] == "2.5"
    assert azure["price_id"].startswith("acme:azure/prod")
    zhipu = asked("show", "zhipu/glm-4.6", *words)
    assert {each["region"]: each["rates"][0]["input"]["price"] for each in zhipu} == {
        "": "0.6",
        "cn": "2",
        "cn-": "1",
    }


def test_what_was_known_then_is_another_question(asked: Asked) -> None:
    assert "has no model gpt-4o" in asked("show", "gpt-4o", "--known-at", "2026-01-01", status=2)


def test_an_unknown_name_gets_the_nearest(asked: Asked) -> None:
    error = asked("show", "claude-sonet-4-5", status=2)
    assert "the price book has no model claude-sonet-4-5" in error
    assert "claude-sonnet-4-5 (anthropic)" in error
    assert "of openai" in asked("show", "gpt-5o", "--vendor", "openai", status=2)
    assert "gpt-4o (openai)" in asked("history", "openai/gpt-4oo", status=2)


def test_what_has_no_price_says_why(asked: Asked) -> None:
    (found,) = asked("show", "mistral/mistral-large-latest", "--at", "2026-11-25", "--json")
    assert found["price_status"] == "unpriced"
    assert "is not known" in found["unpriced_reason"]


def test_history_tells_which_price_held_when_and_by_how_much_it_moved(asked: Asked) -> None:
    (found,) = asked("history", "gpt-4o", "--vendor", "openai", "--tier", "standard", "--json")
    held = [(each["starts_at"], each["ends_at"], each["change_percent"]) for each in found["timeline"]]
    assert held[1:] == [
        ("2024-05-13T00:00:00Z", "2024-10-02T00:00:00Z", {}),
        ("2024-10-02T00:00:00Z", None, {"input": "-50", "output": "-33.33"}),
    ]
    rows = {each["price_id"]: each for each in found["rows"]}
    assert rows["tokenweir:openai/gpt-4o@2024-05-13"]["corrects"] == ["genai:openai/gpt-4o"]
    assert rows["genai:openai/gpt-4o"]["corrects"] == []
    table = asked("history", "gpt-4o", "--vendor", "openai", "--tier", "standard")
    assert "input -50.00%, output -33.33%" in table


def test_history_keeps_peak_and_off_peak_apart(asked: Asked) -> None:
    (found,) = asked("history", "deepseek/deepseek-chat", "--region", "", "--tier", "standard", "--json")
    spring = [each for each in found["timeline"] if each["starts_at"] == "2025-02-26T16:30:00Z"]
    assert [each["price"]["rates"][0]["input"]["price"] for each in spring] == ["0.135", "0.27"]
    assert [each["change_percent"] for each in spring] == [{}, {}]


def test_a_batch_price_that_is_a_factor_moves_with_the_standard_one(asked: Asked) -> None:
    (found,) = asked("history", "openai/gpt-4o", "--tier", "batch", "--json")
    assert [each["price"]["rates"][0]["input"]["price"] for each in found["timeline"]] == [
        "2.5",
        "1.25",
        "1.25",
    ]


def a_feed(tmp_path: Path) -> Path:
    feed = installed_feed()
    model_of(feed, "openai", "gpt-4o")["prices"]["input_mtok"] = 2.25
    file = tmp_path / "data.json"
    file.write_text(as_json(feed), encoding="utf-8")
    return file


def test_an_update_is_shown_and_then_appended(asked: Asked, tmp_path: Path) -> None:
    file = str(a_feed(tmp_path))
    assert "input 2.5 -> 2.25 (-10.00%)" in asked("update", file, "--dry-run")
    assert not (tmp_path / ".tokenweir" / "prices").exists()
    done = asked("update", file, "--yes", "--json")
    assert [each["model"] for each in done["additions"]] == ["openai/gpt-4o", "gpt-4o"]
    assert Path(done["appended"]).exists()
    assert (
        asked("show", "openai/gpt-4o", "--tier", "standard", "--json")[0]["rates"][0]["input"]["price"]
        == "2.25"
    )
    assert "says all of this already" in asked("update", file, "--yes")
    assert "says all of this already" not in asked("update", "--from-installed", "--dry-run")
    (found,) = asked("history", "openai/gpt-4o", "--tier", "standard", "--json")
    # A new price corrects nothing.
    assert [each["corrects"] for each in found["rows"]][-1] == []


def test_an_update_asks_first(asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click.confirm", lambda text: False)
    assert "Nothing was appended" in asked("update", str(a_feed(tmp_path)))
    assert not (tmp_path / ".tokenweir").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "an update takes one newer state"),
        (("data.json", "--from-installed"), "an update takes one newer state"),
        (("data.json", "--json"), "--json asks nothing"),
    ],
)
def test_an_update_called_wrongly(words: tuple[str, ...], says: str, asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text("[]", encoding="utf-8")
    assert says in asked("update", *words, status=2)

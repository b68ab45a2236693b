"""`weir prices check`: every mistake of a file at once, and what is worth a look."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pricing_events import per_million, row

from tokenweir.cli.root import run
from tokenweir.errors import WrongCall
from tokenweir.money import PICOS_PER_UNIT
from tokenweir.pricing import Price
from tokenweir.pricing.checking import concerns
from tokenweir.pricing.exchange import ExchangeRate, ExchangeRates
from tokenweir.pricing.overlay import read_overlay, read_with_mistakes
from tokenweir.pricing.price import BEGINNING, RateCard
from tokenweir.pricing.sources import RowSource

NOW = datetime(2026, 11, 26, tzinfo=UTC)
DAY = timedelta(days=1)
OLDEST = timedelta(days=180)

WRONG = """\
recorded_at = 2026-01-01
nmae = "acme"
[[price]]
vendor = "openai"
models = ["gpt-4o"]
valid_from = 2026-01-01
valid_to = 2027-06-01
currency = "USD"
input = 2
output = 9
source = "x"
[[price]]
vendor = "openai"
models = ["gpt-4.1"]
currency = "USD"
input = -2
source = "x"
[[price]]
vendor = "openai"
models = ["gpt-4o"]
valid_from = 2026-05-01
currency = "EUR"
input = 2
source = "x"
[[discount]]
vendor = "openai"
models = ["gpt-4p"]
percent = 10
source = "x"
[[discount]]
vendor = "opnai"
percent = 10
source = "x"
[[alias]]
vendor = "azure"
names = ["prod"]
means = { vendor = "openai", model = "gpt-4p" }
source = "x"
[[exchange_rate]]
currency = "CNY"
usd_per_unit = 0
valid_from = 2026-01-01
source = "x"
"""
MISTAKES = [
    (2, "unknown key nmae"),
    (16, "input -2 is negative"),
    (21, "overlaps row 1 on line 3, from 2026-05-01 on"),
    (22, "priced in EUR, but in USD in row 1 on line 3"),
    (27, "no source knows a model gpt-4p of openai"),
    (31, "unknown vendor opnai"),
    (37, "no source knows a model gpt-4p of openai"),
    (41, "0 is not a usable rate"),
]

Asked = Callable[..., Any]


@pytest.fixture
def asked(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    monkeypatch.chdir(tmp_path)

    def ask(text: str | None, *words: str, status: int) -> Any:
        if text is not None:
            Path("acme.toml").write_text(text, encoding="utf-8")
            words = ("acme.toml", *words)
        assert run(["prices", "check", *words]) == status
        out = capsys.readouterr().out
        return json.loads(out) if "--json" in words else out

    return ask


def test_every_mistake_is_told_with_line_reason_and_fix(asked: Asked) -> None:
    found = asked(WRONG, "--json", status=1)["mistakes"]
    assert [(each["line"], each["reason"]) for each in found] == MISTAKES
    assert all(each["fix"] for each in found)
    told = asked(WRONG, status=1)
    assert "acme.toml, line 16, row 2 (openai gpt-4.1): input -2 is negative. A price is 0 or more" in told


def test_the_first_mistake_is_what_the_file_is_refused_for() -> None:
    _, mistakes = read_with_mistakes(WRONG, "acme.toml")
    with pytest.raises(WrongCall) as refused:
        read_overlay(WRONG, "acme.toml")
    assert str(refused.value) == str(mistakes[0])


def test_a_mistake_at_the_top_is_told_once(asked: Asked) -> None:
    text = WRONG.replace("recorded_at = 2026-01-01", 'recorded_at = "soon"').replace("nmae", "name")
    reasons = [each["reason"] for each in asked(text, "--json", status=1)["mistakes"]]
    assert sum("recorded" in reason for reason in reasons) == 1


@pytest.mark.parametrize("text", ["[[price", "price = 3\n"])
def test_what_is_no_price_file_at_all_is_one_mistake(text: str, asked: Asked) -> None:
    assert len(asked(text, "--json", status=1)["mistakes"]) == 1


RIGHT = """\
recorded_at = 2026-01-01
[[price]]
vendor = "openai"
models = ["gpt-4o"]
valid_from = 2026-01-01
currency = "USD"
input = 250
output = 9
source = "x"
[[discount]]
vendor = "anthropic"
percent = 10
valid_to = 2026-02-01
source = "x"
"""


def test_a_right_file_with_what_is_worth_a_look(asked: Asked) -> None:
    found = asked(RIGHT, "--json", status=0)
    assert found["mistakes"] == []
    texts = {each["kind"]: each["text"] for each in found["warnings"]}
    assert texts["far from others"].startswith(
        "gpt-4o (standard): input costs 100 times more by acme:openai/gpt-4o"
    )
    assert texts["ended"] == "the discount acme:anthropic/*-10% ended on 2026-02-01"
    assert asked(RIGHT, status=0).endswith("no mistakes, 2 warnings\n")


def test_the_whole_book_has_no_mistakes(asked: Asked) -> None:
    found = asked(None, "--json", status=0)
    assert found["mistakes"] == []
    assert "exchange rate" in {each["kind"] for each in found["warnings"]}


def test_a_recorded_update_that_was_edited_is_a_mistake(asked: Asked, tmp_path: Path) -> None:
    folder = tmp_path / ".tokenweir" / "prices"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text("", encoding="utf-8")
    (mistake,) = asked(None, "--json", status=1)["mistakes"]
    assert "is no recorded update" in mistake["reason"]


def kinds(*rows: Price, beside: tuple[Price, ...] = (), rates: ExchangeRates | None = None) -> list[str]:
    found = concerns(RowSource(rows), [RowSource(beside)], rates or ExchangeRates(), NOW, OLDEST)
    return [concern.kind for concern in found]


def priced(rate: str, **fields: Any) -> Price:
    return row(card=RateCard(per_million(input=rate)), **fields)


def test_ten_times_as_much_is_far() -> None:
    assert kinds(priced("10"), beside=(priced("1", price_id="other"),)) == ["far from others"]
    assert kinds(priced("9.9"), beside=(priced("1", price_id="other"),)) == []
    assert kinds(priced("0.1"), beside=(priced("1", price_id="other"),)) == ["far from others"]
    assert kinds(priced("10"), beside=(priced("1", price_id="other", service_tier="batch"),)) == []
    # A price is held beside those that hold when it begins.
    later = priced("10", valid_from=NOW + DAY)
    assert kinds(later, beside=(priced("1", price_id="other", valid_to=NOW + DAY),)) == []


def test_periods_join_or_there_is_a_gap() -> None:
    first, then = priced("1", valid_to=NOW - 9 * DAY), priced("1", valid_from=NOW - 8 * DAY)
    assert kinds(first, then) == ["gap"]
    assert kinds(first, priced("1", valid_from=NOW - 9 * DAY)) == []
    assert kinds(first) == ["ended"]
    assert kinds(first, priced("1", valid_from=NOW - 9 * DAY, no_price="retired", cards=())) == []
    assert kinds(priced("1", valid_to=NOW + DAY)) == []


def test_rates_that_end_within_a_month_are_told() -> None:
    def rates(until: datetime) -> ExchangeRates:
        half = ExchangeRate("CNY", BEGINNING, NOW, PICOS_PER_UNIT, BEGINNING, "x")
        return ExchangeRates([half, half._replace(valid_from=NOW, valid_to=until)])

    yuan = priced("1", currency="CNY")
    assert kinds(yuan, rates=rates(NOW + 5 * DAY)) == ["exchange rate"]
    assert kinds(yuan, rates=rates(NOW + 90 * DAY)) == []
    assert kinds(yuan) == ["exchange rate"]
    assert kinds(priced("1")) == []


def test_what_rests_on_little_is_told() -> None:
    assert kinds(priced("1", confidence="low")) == ["low confidence"]
    assert kinds(priced("1", source_at=(NOW - 181 * DAY).date())) == ["old source"]
    assert kinds(priced("1", source_at=(NOW - 180 * DAY).date())) == []

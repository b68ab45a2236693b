"""What differs between two states of prices, and only that, from either side."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from feed_json import as_json, installed_feed, model_of
from hypothesis import given
from hypothesis import strategies as st
from pricing_events import NOVEMBER, per_million, row

from tokenweir.cli.root import run
from tokenweir.pricing import Price, PriceBook
from tokenweir.pricing.difference import State, differences
from tokenweir.pricing.history import changes
from tokenweir.pricing.price import RateCard, Schedule
from tokenweir.pricing.sources import RowSource

DAY = timedelta(days=1)


def state(*rows: Price) -> State:
    return State([RowSource(rows)])


def priced(rate: str, **fields: Any) -> Price:
    return row(card=RateCard(per_million(input=rate)), **fields)


periods = st.tuples(st.integers(0, 20), st.integers(1, 20)).map(
    lambda pair: {"valid_from": NOVEMBER + pair[0] * DAY, "valid_to": NOVEMBER + (pair[0] + pair[1]) * DAY}
)
some_rows = st.lists(
    st.builds(
        lambda rate, period, tier, region, hours, known: priced(
            str(rate),
            **period,
            service_tier=tier,
            regions=region,
            schedule=hours,
            recorded_at=NOVEMBER + known * DAY,
        ),
        st.integers(1, 3),
        periods | st.just({}),
        st.sampled_from(["standard", "batch"]),
        st.sampled_from([(), ("cn-*",)]),
        st.sampled_from([None, Schedule(0, ((0, 3600),))]),
        st.integers(0, 3),
    ),
    max_size=5,
)


@given(some_rows, some_rows)
def test_nothing_differs_from_itself_and_each_side_sees_the_others_difference(
    one: list[Price], other: list[Price]
) -> None:
    assert differences(state(*one), state(*one)) == []
    there, back = differences(state(*one), state(*other)), differences(state(*other), state(*one))

    def seen(found: list[Any], *, turned: bool) -> list[Any]:
        return sorted(
            str(
                (each.service_tier, each.regions, each.starts_at, each.ends_at)
                + ((each.after, each.before) if turned else (each.before, each.after))
            )
            for each in found
        )

    assert seen(there, turned=False) == seen(back, turned=True)


@given(some_rows, some_rows, st.integers(-1, 45))
def test_no_difference_is_told_where_the_books_agree(one: list[Price], other: list[Price], day: int) -> None:
    """What a book answers at a time is another thing exactly where a difference covers that time."""
    time = NOVEMBER + day * DAY + timedelta(minutes=30)
    for tier in ("standard", "batch"):
        for region, regions in (("", ()), ("cn-1", ("cn-*",))):
            books = [PriceBook([RowSource(rows)]) for rows in (one, other)]
            answers = [book.lookup("v", "m", time, service_tier=tier, region=region) for book in books]
            told = [answer.cards if answer is not None else None for answer in answers]
            if told[0] == told[1]:
                continue
            found = differences(state(*one), state(*other))
            assert any(
                each.service_tier == tier
                and each.regions in (regions, ())
                and each.starts_at <= time < each.ends_at
                for each in found
            )


def test_a_price_is_added_changes_and_ends() -> None:
    old = state(priced("2", valid_to=NOVEMBER), row("gone"))
    new = state(priced("2", valid_to=NOVEMBER), priced("1.5", valid_from=NOVEMBER), row("new"))
    told = [(each.kind, each.models, each.starts_at.year) for each in differences(old, new)]
    assert told == [("ended", ("gone",), 1), ("added", ("m",), 2025), ("added", ("new",), 1)]
    (moved,) = differences(state(priced("2")), state(priced("1.5")))
    assert (moved.kind, changes(moved.before, moved.after)) == ("changed", {"input": Decimal("-25.00")})


def test_two_times_of_one_book_are_compared_as_each_holds() -> None:
    rows = [RowSource([priced("2", valid_to=NOVEMBER), priced("3", valid_from=NOVEMBER)])]
    (moved,) = differences(State(rows, at=NOVEMBER - DAY), State(rows, at=NOVEMBER))
    assert changes(moved.before, moved.after) == {"input": Decimal("50.00")}
    assert differences(State(rows, at=NOVEMBER), State(rows, at=NOVEMBER + DAY)) == []


def test_two_states_of_knowledge_are_compared_for_all_time() -> None:
    rows = [
        RowSource(
            [priced("2"), priced("1", valid_from=NOVEMBER, recorded_at=datetime(2026, 1, 1, tzinfo=UTC))]
        )
    ]
    old, new = State(rows, datetime(2025, 12, 1, tzinfo=UTC)), State(rows, datetime(2026, 1, 1, tzinfo=UTC))
    (moved,) = differences(old, new)
    assert (moved.starts_at, changes(moved.before, moved.after)) == (NOVEMBER, {"input": Decimal("-50.00")})


Asked = Callable[..., Any]


@pytest.fixture
def asked(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    monkeypatch.chdir(tmp_path)
    feed = installed_feed()
    Path("old.json").write_text(as_json(feed), encoding="utf-8")
    model_of(feed, "openai", "gpt-4o")["prices"]["input_mtok"] = 2.25
    Path("new.json").write_text(as_json(feed), encoding="utf-8")

    def ask(*words: str, status: int = 0) -> Any:
        assert run(["prices", "diff", *words]) == status
        out, err = capsys.readouterr()
        return err if status else json.loads(out) if "--json" in words else out

    return ask


def test_two_feeds_and_a_feed_beside_the_book(asked: Asked) -> None:
    found = asked("old.json", "new.json", "--vendor", "openai", "--json")
    assert [(each["what"], each["models"][0], each["change_percent"]) for each in found] == [
        ("changed", "gpt-4o", {"input": "-10"})
    ]
    assert (found[0]["before"]["rates"][0]["input"]["price"], found[0]["starts_at"]) == ("2.5", None)
    assert "input 2.5 -> 2.25 (-10.00%)" in asked("new.json", "--vendor", "openai", "--model", "gpt-4o")
    assert asked("old.json", "old.json", "--vendor", "openai") == "Nothing differs.\n"


def test_the_book_at_two_times_and_as_known_at_two_times(asked: Asked) -> None:
    words = ("--vendor", "openai", "--model", "gpt-4o", "--json")
    found = asked("--at", "2024-09-01", "2024-11-01", *words)
    standard = next(each for each in found if each["service_tier"] == "standard")
    assert standard["change_percent"] == {"input": "-50", "output": "-33.33"}
    known = asked("--known-at", "2026-11-10", "2026-11-26", *words)
    assert {each["what"] for each in known} == {"added", "changed", "ended"}


@pytest.mark.parametrize(
    "words", [(), ("old.json", "old.json", "old.json"), ("old.json", "--at", "1d", "2d")]
)
def test_it_compares_two_things(words: tuple[str, ...], asked: Asked) -> None:
    assert "diff compares two things" in asked(*words, status=2)

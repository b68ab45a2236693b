"""A newer state of prices adds what is new, once, and moves nothing that was known before."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from feed_json import Feed, as_json, installed_feed, model_of
from hypothesis import given, settings
from hypothesis import strategies as st
from pricing_events import event

from tokenweir.errors import WrongCall
from tokenweir.local.price_updates import PriceUpdate, incoming_of
from tokenweir.pricing import PriceBook
from tokenweir.pricing.genai_feed import GenaiFeed
from tokenweir.pricing.incoming import read_incoming
from tokenweir.pricing.matching import rules_of
from tokenweir.pricing.recorded import read_recorded
from tokenweir.pricing.timeline import terms
from tokenweir.pricing.updating import Update

NOW = datetime(2026, 11, 26, 10, 15, 0, 123456, UTC)
BEFORE = NOW - timedelta(microseconds=1)
WEEK = timedelta(days=7)


def taken(tmp_path: Path, feed: Feed, now: datetime = NOW, *, end_vanished: bool = False) -> Update:
    file = tmp_path / "data.json"
    file.write_text(as_json(feed), encoding="utf-8")
    update = PriceUpdate(incoming_of(file), tmp_path / "prices", now, end_vanished=end_vanished)
    planned = update.plan()
    done = update.take()
    assert done.update == planned
    return done.update


def book_of(tmp_path: Path) -> PriceBook:
    return PriceBook.default(None, tmp_path / "prices")


def cost(book: PriceBook, vendor: str, model: str, time: datetime, **arguments: Any) -> int | None:
    known_at = arguments.pop("known_at", None)
    return book.price(
        event(vendor, model, input_tokens=1_000_000, time=time, **arguments), known_at=known_at
    ).native_cost_picos


def said(update: Update) -> set[tuple[str, str, str]]:
    return {(added.row.vendor, added.label, added.row.service_tier) for added in update.additions}


def test_the_feed_as_it_is_published_is_the_installed_feed() -> None:
    published = read_incoming(as_json(installed_feed()), "data.json").state  # type: ignore[attr-defined]
    known = {row.price_id: row.cards for row in GenaiFeed().rows()}
    assert {row.price_id: row.cards for row in published.rows()} == known


def test_the_installed_state_adds_nothing(tmp_path: Path) -> None:
    update = taken(tmp_path, installed_feed())
    assert update == Update((), (), (), (), {})
    assert read_recorded(tmp_path / "prices").files == ()


def test_a_price_that_changed_without_a_start_holds_from_the_update_on(tmp_path: Path) -> None:
    feed = installed_feed()
    model_of(feed, "openai", "gpt-4o")["prices"]["input_mtok"] = 2.25
    update = taken(tmp_path, feed)
    # Azure's is OpenAI's price; each of the names of the model is priced so.
    assert said(update) == {("openai", "gpt-4o", "standard"), ("azure", "openai/gpt-4o", "standard")}
    book = book_of(tmp_path)
    for name in ("gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-20240806"):
        assert cost(book, "openai", name, NOW) == 2_250_000_000_000
        assert cost(book, "openai", name, BEFORE) == 2_500_000_000_000
        assert cost(book, "openai", name, NOW, known_at=BEFORE) == 2_500_000_000_000
    added = update.additions[0].row
    assert (added.recorded_at, added.valid_from, added.source_at) == (NOW, NOW, NOW.date())
    assert cost(book, "openai", "gpt-4o-mini", NOW) == 150_000_000_000


def test_the_same_state_twice_adds_nothing_the_second_time(tmp_path: Path) -> None:
    feed = installed_feed()
    model_of(feed, "openai", "gpt-4o")["prices"]["input_mtok"] = 2.25
    model_of(feed, "moonshotai", "kimi-k2.5")["prices"]["input_mtok"] = 9
    assert taken(tmp_path, feed).additions
    assert taken(tmp_path, feed, NOW + WEEK).rows() == []
    assert len(read_recorded(tmp_path / "prices").files) == 1


def test_a_price_that_goes_back_is_a_third_row(tmp_path: Path) -> None:
    feed = installed_feed()
    model_of(feed, "openai", "gpt-4o")["prices"]["input_mtok"] = 2.25
    taken(tmp_path, feed)
    taken(tmp_path, installed_feed(), NOW + WEEK)
    book = book_of(tmp_path)
    times = (BEFORE, NOW, NOW + WEEK)
    assert [cost(book, "openai", "gpt-4o", time) for time in times] == [
        2_500_000_000_000,
        2_250_000_000_000,
        2_500_000_000_000,
    ]


def test_a_price_with_a_start_holds_from_its_start_on(tmp_path: Path) -> None:
    feed = installed_feed()
    model = model_of(feed, "openai", "gpt-4o")
    later = {**model["prices"], "input_mtok": 2}
    model["prices"] = [
        {"prices": model["prices"]},
        {"constraint": {"start_date": "2026-11-20"}, "prices": later},
    ]
    taken(tmp_path, feed)
    book = book_of(tmp_path)
    assert cost(book, "openai", "gpt-4o", datetime(2026, 11, 20, tzinfo=UTC)) == 2_000_000_000_000
    assert cost(book, "openai", "gpt-4o", datetime(2026, 11, 19, tzinfo=UTC)) == 2_500_000_000_000
    assert cost(book, "openai", "gpt-4o", NOW, known_at=BEFORE) == 2_500_000_000_000


def test_a_new_model_is_priced_for_earlier_calls_too_and_no_other_is(tmp_path: Path) -> None:
    feed = installed_feed()
    models = next(each["models"] for each in feed if each["id"] == "openai")
    # Before the others, as the first that fits is meant: its name was one of theirs until now.
    models.insert(0, {"id": "o9", "match": {"equals": "o9"}, "prices": {"input_mtok": 7, "output_mtok": 8}})
    models.insert(0, {"id": "x", "match": {"starts_with": "gpt-4o-mini"}, "prices": {"input_mtok": 6}})
    before = cost(PriceBook.default(), "openai", "gpt-4o-mini", BEFORE)
    taken(tmp_path, feed)
    book = book_of(tmp_path)
    assert cost(book, "openai", "o9", NOW - WEEK) == 7_000_000_000_000
    assert cost(book, "openai", "o9", NOW - WEEK, known_at=BEFORE) is None
    assert cost(book, "openai", "gpt-4o-mini", BEFORE) == before
    assert cost(book, "openai", "gpt-4o-mini", NOW) == 6_000_000_000_000


def test_a_rule_that_widens_takes_no_other_models_names(tmp_path: Path) -> None:
    """The feed's first fitting model is meant; a recorded row for a later one must not take its names."""
    feed = installed_feed()
    models = next(each["models"] for each in feed if each["id"] == "openai")
    models.append({"id": "any", "match": {"starts_with": "gpt-4"}, "prices": {"input_mtok": 99}})
    taken(tmp_path, feed)
    book, old = book_of(tmp_path), PriceBook.default()
    for name in ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4-turbo", "gpt-4"):
        assert cost(book, "openai", name, NOW) == cost(old, "openai", name, NOW), name
    assert cost(book, "openai", "gpt-4-unheard-of", NOW) == 99_000_000_000_000


def test_a_correction_by_the_project_stays_until_the_feed_moves(tmp_path: Path) -> None:
    """genai-prices keeps codestral's and others' own; where the project differs, an unchanged feed changes nothing."""
    feed = installed_feed()
    model_of(feed, "openai", "gpt-4o")["prices"]["input_mtok"] = 2.25
    taken(tmp_path, feed)
    book, old = book_of(tmp_path), PriceBook.default()
    for vendor, model in (
        ("mistral", "mistral-large-latest"),
        ("deepseek", "deepseek-chat"),
        ("xai", "grok-4"),
    ):
        assert book.lookup(vendor, model, NOW) == old.lookup(vendor, model, NOW)


def test_prices_for_regions_stay_beside_a_new_one_for_all(tmp_path: Path) -> None:
    feed = installed_feed()
    model_of(feed, "moonshotai", "kimi-k2.5")["prices"] = {"input_mtok": 9, "output_mtok": 9}
    update = taken(tmp_path, feed)
    book, old = book_of(tmp_path), PriceBook.default()
    assert cost(book, "moonshot", "kimi-k2.5", NOW) == 9_000_000_000_000
    in_china = {"region": "cn-north-1"}
    assert cost(book, "moonshot", "kimi-k2.5", NOW, **in_china) == cost(
        old, "moonshot", "kimi-k2.5", NOW, **in_china
    )
    assert {row.regions for row in update.carried} == {("cn", "cn-*")}


def test_a_model_that_is_gone_keeps_its_price_until_an_end_is_asked_for(tmp_path: Path) -> None:
    feed = installed_feed()
    provider = next(each for each in feed if each["id"] == "groq")
    gone = model_of(feed, "groq", "llama-3.3-70b-versatile")
    provider["models"].remove(gone)
    name = "llama-3.3-70b-versatile"
    before = cost(PriceBook.default(), "groq", name, NOW)
    assert before is not None
    update = taken(tmp_path, feed)
    assert update.rows() == []
    assert name in {each.sample for each in update.vanished}
    assert cost(book_of(tmp_path), "groq", name, NOW) == before
    taken(tmp_path, feed, end_vanished=True)
    book = book_of(tmp_path)
    assert cost(book, "groq", name, NOW) is None
    assert cost(book, "groq", name, BEFORE) == before
    reason = book.price(event("groq", name, time=NOW, input_tokens=1)).unpriced_reason
    assert reason.endswith("genai-prices (data.json) no longer lists it")
    assert taken(tmp_path, feed, NOW + WEEK, end_vanished=True).rows() == []
    provider["models"].append(gone)
    taken(tmp_path, feed, NOW + 2 * WEEK)
    assert cost(book_of(tmp_path), "groq", name, NOW + 2 * WEEK) == before


def test_what_cannot_be_read_is_told_and_takes_no_part(tmp_path: Path) -> None:
    """A model priced by something new keeps the price that the book has, and so do the names behind it."""
    feed = installed_feed()
    model_of(feed, "openai", "gpt-4o")["prices"] = {"input_mtok": 1, "dreams_kcount": 3}
    models = next(each["models"] for each in feed if each["id"] == "openai")
    models.append({"id": "any", "match": {"starts_with": "gpt-4"}, "prices": {"input_mtok": 99}})
    update = taken(tmp_path, feed, end_vanished=True)
    assert list(update.unread) == ["openai/gpt-4o"]
    assert "dreams_kcount" in update.unread["openai/gpt-4o"]
    assert update.vanished == ()
    assert cost(book_of(tmp_path), "openai", "gpt-4o", NOW) == 2_500_000_000_000


HAND = """\
recorded_at = 2026-01-01
[[price]]
vendor = "acme"
models = ["house-9"]
currency = "CNY"
input = 3
output = 9
source = "page"
[[price]]
vendor = "huawei"
models = ["pangu-9"]
currency = "CNY"
input = 3
output = 9
source = "page"
[[price]]
vendor = "openai"
models = ["gpt-4o"]
currency = "USD"
input = 2.4
output = 10
source = "page"
[[price]]
vendor = "openai"
models = ["gpt-4o"]
valid_from = 2027-01-01
currency = "USD"
input = 2.3
output = 10
source = "page"
recorded_at = 2026-01-02
"""


def test_a_price_file_is_taken_in_as_known_from_now_on(tmp_path: Path) -> None:
    file = tmp_path / "hand.toml"
    file.write_text(HAND, encoding="utf-8")
    for number in range(2):
        done = PriceUpdate(incoming_of(file), tmp_path / "prices", NOW + number * WEEK).take()
        assert (done.path is None) == bool(number)
    book = book_of(tmp_path)
    assert cost(book, "acme", "house-9", NOW - WEEK) == 3_000_000_000_000
    assert cost(book, "acme", "house-9", NOW - WEEK, known_at=BEFORE) is None
    # The book says that Pangu's prices are not known; without a start that stays so for the time before.
    assert cost(book, "huawei", "pangu-9", NOW - WEEK) is None
    assert cost(book, "huawei", "pangu-9", NOW) == 3_000_000_000_000
    times = (BEFORE, NOW, datetime(2027, 1, 1, tzinfo=UTC))
    assert [cost(book, "openai", "gpt-4o", time) for time in times] == [
        2_500_000_000_000,
        2_400_000_000_000,
        2_300_000_000_000,
    ]
    # A feed that did not move leaves what a person wrote.
    assert taken(tmp_path, installed_feed(), NOW + 2 * WEEK).rows() == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "neither a price file nor JSON"),
        ('{"a": 1}', "without a list of providers"),
        ('[{"id": "x"}]', "name"),
        ("[[price]]\n", "vendor is missing"),
        ('[[discount]]\nvendor = "openai"\n', "unknown key discount"),
    ],
)
def test_what_is_no_state_of_prices_is_refused(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(WrongCall, match=says):
        incoming_of(file)
    assert not (tmp_path / "prices").exists()


PROVIDERS = {"groq": "groq", "moonshotai": "moonshot", "mistral": "mistral", "deepseek": "deepseek"}


def changed_feed(data: st.DataObject) -> tuple[Feed, set[tuple[str, str]]]:
    """A feed in which some models have other prices or another place, or are gone; and which have other prices."""
    feed = installed_feed()
    changed = set()
    for provider in [each for each in feed if each["id"] in PROVIDERS]:
        models = provider["models"]
        chosen = data.draw(st.lists(st.sampled_from(models), max_size=3, unique_by=lambda each: each["id"]))
        for model in chosen:
            act = data.draw(st.sampled_from(["change", "drop", "date", "first"]))
            prices = {"input_mtok": data.draw(st.integers(0, 50)), "output_mtok": 1}
            models.remove(model)
            if act == "drop":
                continue
            models.insert(0 if act == "first" else len(models), model)
            model["prices"] = prices
            if act == "date":
                start = data.draw(st.sampled_from(["2024-01-01", "2026-11-01", "2026-12-24"]))
                model["prices"] = [
                    {"prices": prices},
                    {"constraint": {"start_date": start}, "prices": prices},
                ]
            changed.add((PROVIDERS[provider["id"]], model["id"]))
    return feed, changed


@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_nothing_that_was_known_moves_whatever_the_feed_does(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    tmp_path = tmp_path_factory.mktemp("update")
    feed, changed = changed_feed(data)
    old = PriceBook.default()
    taken(tmp_path, feed, end_vanished=data.draw(st.booleans()))
    book = book_of(tmp_path)
    for vendor, name in names_of(old, set(PROVIDERS.values())):
        for region in ("", "cn-1"):
            for time in (NOW - 60 * WEEK, NOW, NOW + 10 * WEEK):
                known = old.lookup(vendor, name, time, region=region)
                assert book.lookup(vendor, name, time, region=region, known_at=BEFORE) == known
    feeds = PriceBook([GenaiFeed()]), PriceBook([read_incoming(as_json(feed), "x").state])  # type: ignore[attr-defined]
    for vendor, name in changed:
        was, then = (each.lookup(vendor, name, NOW) for each in feeds)
        # Of a name that no rule means any more, or another model's with the same price, the feed says nothing new.
        if then is not None and (was is None or terms([was]) != terms([then])):
            now = book.lookup(vendor, name, NOW)
            assert now is not None
            assert terms([now])[0][1:3] == terms([then])[0][1:3]
    assert taken(tmp_path, feed, NOW + WEEK).rows() == []


def names_of(book: PriceBook, vendors: set[str]) -> set[tuple[str, str]]:
    """The names that the book states of some vendors."""
    return {
        (row.vendor, rule.text)
        for row in book.rows()
        if row.vendor in vendors
        for rule in rules_of(row.match)
        if rule.operation == "equals"
    }

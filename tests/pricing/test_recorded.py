"""Recorded updates: written whole, read back exactly, and refused once they are not what they were."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pricing_events import event

from tokenweir.errors import WrongCall
from tokenweir.pricing import Price, PriceBook
from tokenweir.pricing.matching import Match, match_from_names, rules_of
from tokenweir.pricing.overlay import read_overlay
from tokenweir.pricing.price import Rate, RateCard
from tokenweir.pricing.recorded import RecordedChanged, append, read_recorded, recording
from tokenweir.pricing.schedule import Schedule
from tokenweir.pricing.writing import price_file

NOW = datetime(2026, 11, 26, 10, 15, 0, 123456, UTC)
LATER = NOW + timedelta(days=1)


def a_price(model: str = "house-7b", picos: int = 800_000_000_000, **changes: Any) -> Price:
    row = Price(
        f"t:{model}",
        "acme",
        match_from_names((model,)),
        (RateCard((("input", Rate(picos, 1_000_000)), ("output", Rate(2 * picos, 1_000_000)))),),
        "CNY",
        NOW,
        "a page",
        valid_from=NOW,
    )
    return replace(row, **changes)


def added(folder: Path, recorded_at: datetime, *rows: Price, feed: str = "") -> Path:
    with recording(folder) as recorded:
        header = {
            "previous": recorded.files[-1].name if recorded.files else "",
            **({"feed": feed} if feed else {}),
        }
        return append(folder, recorded, recorded_at, price_file("recorded", recorded_at, rows, header=header))


def plain(row: Price) -> Price:
    """The row with its rates in one order: a file tells tokens first, then units."""
    cards = tuple(card._replace(rates=tuple(sorted(card.rates))) for card in row.cards)
    return replace(row, cards=cards, recorded_at=NOW)


def test_every_row_of_the_book_comes_back_as_it_was_written(book: PriceBook) -> None:
    for source in book.sources:
        for row in source.rows():
            (found,) = read_overlay(price_file("x", NOW, [row]), "x.toml", kind="public").rows()
            if not row.has_rates:
                assert found.no_price
                continue
            # Names are written as names, whichever rule they came from.
            assert plain(found) == replace(plain(row), match=found.match)
            assert list(map(str, rules_of(found.match))) == list(map(str, rules_of(row.match)))


names = st.text(min_size=1, max_size=8)
texts = st.builds(Match, st.sampled_from(["equals", "starts_with", "ends_with", "contains"]), names)
rules = st.recursive(
    texts,
    lambda inner: (
        st.builds(
            lambda operation, rules: Match(operation, rules=tuple(rules)),
            st.sampled_from(["or", "and"]),
            st.lists(inner, min_size=1, max_size=3),
        )
        | inner.map(lambda rule: Match("not", rules=(rule,)))
    ),
    max_leaves=5,
)
picos = st.integers(0, 10**18)


@given(
    rules,
    st.lists(picos, min_size=1, max_size=3),
    st.integers(0, 10**15).map(lambda microseconds: NOW - timedelta(microseconds=microseconds)),
    st.none()
    | st.builds(
        Schedule,
        st.integers(-600, 600),
        st.just(((0, 3600), (36_000, 86_400), (82_800, 90_000))),
        st.sampled_from([(), (0, 4)]),
        st.frozensets(st.dates(max_value=date(2025, 12, 31)), max_size=2),
        st.just(""),
        st.frozensets(st.dates(min_value=date(2026, 1, 1)), max_size=2),
        st.sampled_from(["", "CN"]),
        st.just(""),
    )
    | st.just(Schedule(zone="Asia/Shanghai", windows=((0, 86_400),), workdays="CN")),
    st.builds(
        Rate,
        picos,
        st.integers(1, 10**9),
        st.integers(0, 60),
        st.lists(st.tuples(st.integers(0, 10**6), picos), max_size=2, unique_by=lambda step: step[0])
        .map(sorted)
        .map(tuple),
        st.integers(1, 1000),
    ),
    st.text(min_size=1, max_size=12),
)
def test_what_is_written_is_read_to_the_digit(
    match: Match, tiers: list[int], since: datetime, hours: Schedule | None, unit: Rate, source: str
) -> None:
    cards = tuple(
        RateCard((("input", Rate(each, 1_000_000)), ("web searches", unit)), input_above=number - 1)
        for number, each in enumerate(tiers)
    )
    row = a_price(match=match, cards=cards, valid_from=since, schedule=hours, source=source)
    (found,) = read_overlay(price_file("x", NOW, [row]), "x.toml", kind="public").rows()
    assert plain(found) == replace(plain(row), match=found.match)
    for name in ("a", "ab", *(rule.text.lower() for rule in match.rules), match.text.lower()):
        assert found.match.holds(name) == match.holds(name)


def test_no_folder_holds_nothing(tmp_path: Path) -> None:
    assert read_recorded(tmp_path / "none").files == ()
    assert not (tmp_path / "none").exists()


def test_the_book_knows_an_update_from_its_moment_on(tmp_path: Path) -> None:
    added(tmp_path, NOW, a_price())
    added(tmp_path, LATER, a_price(picos=500_000_000_000, valid_from=LATER))
    book = PriceBook.default(None, tmp_path)
    call = event("acme", "house-7b", input_tokens=1_000_000, time=LATER)
    assert book.price(call).native_cost_picos == 500_000_000_000
    assert book.price(call, known_at=NOW).native_cost_picos == 800_000_000_000
    assert book.price(call, known_at=NOW - timedelta(microseconds=1)).price_status == "unpriced"
    assert [file.recorded_at for file in read_recorded(tmp_path).files] == [NOW, LATER]


def test_an_update_goes_over_the_projects_data_and_under_the_companys(tmp_path: Path) -> None:
    folder = tmp_path / "prices"
    added(folder, NOW, a_price("gpt-4o", vendor="openai", currency="USD"))
    overlay = tmp_path / "acme.toml"
    overlay.write_text(
        'recorded_at = 2026-01-01\n[[price]]\nvendor = "openai"\nmodels = ["gpt-4o"]\nvalid_from = 2026-12-01\n'
        'currency = "USD"\ninput = 2\noutput = 9\nsource = "contract"\n',
        encoding="utf-8",
    )
    book = PriceBook.default(overlay, folder)
    call = event("openai", "gpt-4o", input_tokens=1_000_000, time=NOW)
    assert book.price(call).cost_picos == 800_000_000_000
    assert book.price(call, at=NOW - timedelta(seconds=1)).cost_picos == 2_500_000_000_000
    december = book.price(call, at=datetime(2026, 12, 2, tzinfo=UTC))
    assert (december.cost_picos, december.list_cost_picos) == (2_000_000_000_000, 800_000_000_000)


def _edit(first: Path, second: Path) -> None:
    first.write_text(
        first.read_text(encoding="utf-8").replace("input = 0.8", "input = 0.7"), encoding="utf-8"
    )


def _remove(first: Path, second: Path) -> None:
    first.unlink()


def _add(first: Path, second: Path) -> None:
    first.with_name("mine.toml").write_bytes(first.read_bytes())


@pytest.mark.parametrize(
    ("meddle", "says"),
    [
        (_edit, "was changed after"),
        (_remove, "follows .*, but nothing is before"),
        (_add, "is no recorded"),
    ],
)
def test_a_folder_that_was_meddled_with_is_refused(meddle: Any, says: str, tmp_path: Path) -> None:
    first = added(tmp_path, NOW, a_price())
    second = added(tmp_path, LATER, a_price(valid_from=LATER))
    meddle(first, second)
    with pytest.raises(RecordedChanged, match=says):
        PriceBook.default(None, tmp_path)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = added(tmp_path, NOW, a_price())

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        added(tmp_path, LATER, a_price(valid_from=LATER))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([kept.name, "lock"])


def test_what_a_killed_update_left_is_no_update(tmp_path: Path) -> None:
    kept = added(tmp_path, NOW, a_price())
    (tmp_path / f".{kept.name}.part").write_text("half", encoding="utf-8")
    assert [file.name for file in read_recorded(tmp_path).files] == [kept.name]
    with recording(tmp_path):
        assert not list(tmp_path.glob(".*.part"))


def test_two_updates_at_once_are_one_after_the_other(tmp_path: Path) -> None:
    with recording(tmp_path), pytest.raises(WrongCall, match="under way"), recording(tmp_path):
        pass


def test_an_update_is_never_older_than_the_last(tmp_path: Path) -> None:
    added(tmp_path, LATER, a_price())
    with pytest.raises(WrongCall, match="later than now"):
        added(tmp_path, NOW, a_price())


@pytest.fixture
def rates(tmp_path: Path) -> PriceBook:
    text = price_file(
        "rates",
        NOW,
        (),
        read_overlay(
            'recorded_at = 2026-12-01\n[[exchange_rate]]\ncurrency = "CNY"\nusd_per_unit = 0.15\n'
            'valid_from = 2026-12-01\nvalid_to = 2027-01-01\nsource = "ecb"\n',
            "rates.toml",
        ).exchange_rates,
        {"previous": ""},
    )
    with recording(tmp_path) as recorded:
        append(tmp_path, recorded, NOW, text)
    return PriceBook.default(None, tmp_path)


def test_exchange_rates_are_recorded_too(rates: PriceBook) -> None:
    call = event(
        "x", "y", time=datetime(2026, 12, 2, tzinfo=UTC), reported_cost=Decimal(10), reported_currency="CNY"
    )
    assert rates.price(call).cost_picos == 1_500_000_000_000
    assert rates.price(call, known_at=NOW - timedelta(days=1)).price_status == "unpriced"

"""The independent sum: each call once, its fuller report, exact money, nothing unpriced taken for free."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.simulation import FleetSimulation, TotalsTally, expected_totals
from producers.simulation.models import MODELS, UNPRICED_MODELS
from tokenweir.pricing import PriceBook
from tokenweir.usage import UsageEvent

END = datetime(2026, 11, 20, tzinfo=UTC)


class PicoPerToken:
    """A book that asks one pico a token and knows nothing of the vendor `vllm`."""

    def price(self, event: UsageEvent) -> SimpleNamespace:
        if event.vendor == "vllm":
            return SimpleNamespace(cost_picos=None)
        return SimpleNamespace(cost_picos=event.input_tokens + event.output_tokens)


def _event(name: str, **fields: object) -> UsageEvent:
    return UsageEvent.model_validate(
        {
            "id": name,
            "source": "test",
            "time": END,
            "vendor": "openai",
            "model": "gpt-5.4",
            "team": "a",
            **fields,
        }
    )


def test_a_fuller_report_replaces_a_poorer_one_whichever_came_first() -> None:
    poorer = _event("openai:1", input_tokens=100)
    fuller = _event("openai:1", input_tokens=100, cache_read_tokens=40, output_tokens=7, team="b")
    for order in ([poorer, fuller], [fuller, poorer]):
        totals = expected_totals([order], PicoPerToken())
        assert (totals.reports, totals.total.calls, totals.repeated_reports) == (2, 1, 1)
        assert totals.total.output_tokens == 7
        assert totals.total.cost_usd == Decimal("0.000000000107")
        assert totals.by_team["b"].calls == 1


def test_between_equals_the_later_report_counts() -> None:
    totals = expected_totals([[_event("x", input_tokens=1)], [_event("x", input_tokens=2)]], PicoPerToken())
    assert totals.total.input_tokens == 2


def test_the_same_id_of_two_tenants_is_two_calls() -> None:
    totals = expected_totals([[_event("x", tenant="one"), _event("x", tenant="two")]], PicoPerToken())
    assert totals.total.calls == 2


def test_unpriced_calls_are_counted_and_cost_nothing() -> None:
    totals = expected_totals([[_event("x", vendor="vllm", input_tokens=9)]], PicoPerToken())
    assert totals.total.unpriced_calls == 1
    assert totals.total.cost_usd == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 10**9), st.booleans()), max_size=40))
def test_sums_equal_the_last_of_the_fullest(reports: list[tuple[int, int, bool]]) -> None:
    events = [
        _event(f"openai:{name}", input_tokens=tokens, user="u" if known else "")
        for name, tokens, known in reports
    ]
    best: dict[str, tuple[int, int]] = {}
    for event in events:
        rank = bool(event.input_tokens) + bool(event.user)
        if rank >= best.get(event.id, (0, 0))[0]:
            best[event.id] = (rank, event.input_tokens)
    total = expected_totals([events], PicoPerToken()).total
    assert total.calls == len(best)
    assert total.input_tokens == sum(tokens for _, tokens in best.values())
    assert total.cost_usd == Decimal(total.input_tokens).scaleb(-12)


def test_watching_passes_everything_on() -> None:
    simulation = FleetSimulation(seed=2, end=END, days=1, calls_scale=0.1)
    tally = TotalsTally(PicoPerToken())
    seen = list(tally.watch(simulation.events()))
    totals = tally.totals()
    assert seen == list(simulation.events())
    assert totals == expected_totals(simulation.events(), PicoPerToken())
    assert totals.reports == sum(map(len, seen))
    assert sum(sums.calls for sums in totals.by_vendor.values()) == totals.total.calls
    assert sum(sums.cost_usd for sums in totals.by_team.values()) == totals.total.cost_usd


@pytest.fixture
def priced_month(tmp_path: Path) -> tuple[FleetSimulation, PriceBook]:
    """A small month with its own price file."""
    simulation = FleetSimulation(seed=4, end=END, calls_scale=0.05)
    path = tmp_path / "prices.toml"
    path.write_text(simulation.price_file, encoding="utf-8")
    return simulation, PriceBook.default(path)


def test_everything_but_the_private_fine_tune_has_a_price(
    priced_month: tuple[FleetSimulation, PriceBook],
) -> None:
    simulation, book = priced_month
    for some_book in (book, PriceBook.default()):
        unpriced = {
            f"{event.vendor}/{event.model}"
            for batch in simulation.events()
            for event in batch
            if some_book.price(event).cost_picos is None
        }
        assert unpriced == UNPRICED_MODELS


def test_every_model_has_a_price_at_the_end_of_2026() -> None:
    book = PriceBook.default()
    for key, habits in MODELS.items():
        for day in (datetime(2026, 10, 1, tzinfo=UTC), END, datetime(2026, 12, 31, tzinfo=UTC)):
            price = book.lookup(habits.vendor, habits.model, day)
            assert (price is None) == (key in UNPRICED_MODELS), key


@pytest.mark.parametrize("seed", range(8))
def test_the_price_cut_is_one_in_the_price_book(tmp_path: Path, seed: int) -> None:
    simulation = FleetSimulation(seed=seed, end=END)
    path = tmp_path / "prices.toml"
    path.write_text(simulation.price_file, encoding="utf-8")
    book = PriceBook.default(path)
    (cut,) = simulation.story.of_kind("price_cut")
    for tokens in ({"input_tokens": 1000}, {"output_tokens": 1000}):
        event = _event("x", vendor=cut.scope["vendor"], model=cut.scope["model"], **tokens)
        before = book.price(event, at=cut.started_at - timedelta(minutes=1)).cost_picos
        after = book.price(event, at=cut.started_at).cost_picos
        assert before is not None
        assert after is not None
        assert before >= 2 * after > 0


def test_batch_has_a_price_whenever_the_run_ends(tmp_path: Path) -> None:
    simulation = FleetSimulation(seed=1, end=datetime(2026, 8, 1, tzinfo=UTC), days=2)
    path = tmp_path / "prices.toml"
    path.write_text(simulation.price_file, encoding="utf-8")
    book = PriceBook.default(path)
    batch = [event for events in simulation.events() for event in events if event.service_tier == "batch"]
    assert batch
    assert all(book.price(event).cost_picos is not None for event in batch)

"""Why a workload may have moved: what the price book and the catalog say of the days before."""

from datetime import UTC, datetime, timedelta

import pytest

from producers.simulation.pricelist import price_file
from streams.detectors.move_causes import MoveCause, likely_causes, same_model
from tests.detectors.feeding import book_of
from tokenweir.catalog import Catalog
from tokenweir.pricing import PriceBook

CATALOG = Catalog.default()
CUT = datetime(2026, 11, 1, tzinfo=UTC)
CHEAPER = "deepseek/deepseek-v4-flash"


def _book() -> PriceBook:
    text = price_file(cut_model=CHEAPER, started_at=CUT - timedelta(days=10), cut_at=CUT, batch_models=[])
    return book_of(text)


def _causes(source: str, target: str, onset: datetime, failed_hours: int = 0) -> list[MoveCause]:
    return likely_causes(_book(), CATALOG, source, target, onset, failed_hours)


def test_a_price_cut_of_the_target_in_the_weeks_before() -> None:
    first, *_ = _causes("xai/grok-4.3", CHEAPER, CUT + timedelta(days=3))
    assert (first.kind, first.about, first.on) == ("price_cut", CHEAPER, CUT.date())
    assert "changed on 2026-11-01" in first.text


@pytest.mark.parametrize("days", [-3, 30])
def test_a_price_cut_long_before_or_after_is_no_cause(days: int) -> None:
    causes = _causes("xai/grok-4.3", CHEAPER, CUT + timedelta(days=days))
    assert not [cause for cause in causes if cause.about == CHEAPER and cause.on == CUT.date()]


def test_a_price_that_fell_is_no_reason_to_leave() -> None:
    assert _causes(CHEAPER, "vllm/own-model", CUT + timedelta(days=3)) == []


def test_a_price_that_rose_is() -> None:
    # At the run's beginning the file's higher price takes the public one's place.
    (cause,) = _causes(CHEAPER, "vllm/own-model", CUT - timedelta(days=8))
    assert (cause.kind, cause.about) == ("price_rise", CHEAPER)


def test_a_retirement_with_its_successor() -> None:
    (cause,) = _causes(
        "anthropic/claude-sonnet-4-5", "anthropic/claude-sonnet-5-5", datetime(2026, 11, 5, tzinfo=UTC)
    )
    assert cause.kind == "retirement"
    assert "retires on 2026-11-30; its vendor names this successor" in cause.text


def test_a_release_shortly_before() -> None:
    model = next(
        model
        for model in CATALOG.models("anthropic")
        if model.released_on is not None and model.released_on.year == 2025
    )
    assert model.released_on is not None
    released = datetime(model.released_on.year, model.released_on.month, model.released_on.day, tzinfo=UTC)
    target = f"anthropic/{model.model}"
    kinds = [cause.kind for cause in _causes("vllm/own-model", target, released + timedelta(days=9))]
    assert "release" in kinds
    later = [cause.kind for cause in _causes("vllm/own-model", target, released + timedelta(days=90))]
    assert "release" not in later


def test_what_failed_comes_first() -> None:
    causes = _causes("openai/gpt-4.1", CHEAPER, CUT + timedelta(days=3), failed_hours=5)
    assert [cause.kind for cause in causes] == ["failing", "price_cut", "retirement"]


def test_names_of_one_model_are_one() -> None:
    day = CUT.date()
    dated = same_model(CATALOG, "openai/gpt-4.1-2025-04-14", day)
    assert dated == same_model(CATALOG, "openai/gpt-4.1", day) == "openai/gpt-4.1"
    assert same_model(CATALOG, "azure/gpt-4.1", day) != dated
    assert same_model(CATALOG, "vllm/own-model", day) == "vllm/own-model"

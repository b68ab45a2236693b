"""The project's own rows: whole, in order, leading somewhere, each with its source."""

import re
from datetime import date
from importlib.resources import files

import pytest

from tokenweir.catalog import Catalog, Model

DATA = files("tokenweir.catalog").joinpath("data")
FILES = sorted(entry.name for entry in DATA.iterdir() if entry.name.endswith(".toml"))
CATALOG = Catalog.default()
MODELS = list(CATALOG.models())
FIRST, LAST = date(2019, 1, 1), date(2030, 1, 1)


def named(model: Model) -> str:
    return f"{model.vendor}/{model.platform}/{model.model}"


@pytest.mark.parametrize("vendor", CATALOG.vendors)
def test_every_successor_and_pointer_leads_somewhere(vendor: str) -> None:
    CATALOG.check(vendor)


def test_every_fact_has_a_source_that_names_a_page_and_a_day() -> None:
    for model in MODELS:
        assert model.sources, named(model)
        for fact, source in model.sources.items():
            assert source.page, (named(model), fact)
            assert FIRST < source.seen_on <= model.recorded_at.date(), (named(model), fact)


def test_dates_are_in_order_and_of_this_age() -> None:
    for model in MODELS:
        days = [model.released_on, model.deprecated_on, model.retires_on]
        stated = [day for day in days if day is not None]
        assert stated == sorted(stated), named(model)
        assert all(FIRST < day < LAST for day in stated), named(model)


def test_every_model_has_a_family_and_says_more_than_its_name() -> None:
    for model in MODELS:
        assert model.family, named(model)
        assert set(model.sources) - {"family", "aliases"}, named(model)


def test_names_mean_one_model_each_and_lead_back_to_it() -> None:
    for model in MODELS:
        for name in (model.model, *model.aliases):
            found = CATALOG.find(model.vendor, name, platform=model.platform)
            assert found is not None, (named(model), name)
            assert found.model == model, (named(model), name)


def test_no_model_comes_back_to_itself_over_its_successors() -> None:
    for model in MODELS:
        for replacement in CATALOG.successors(
            model.vendor, model.model, on=date(2026, 11, 25), platform=model.platform
        ):
            successor = replacement.successor
            assert (successor.vendor, successor.model) != (model.vendor, model.model), named(model)


def test_vendors_whose_usage_is_read_and_whose_facts_were_found_are_there() -> None:
    assert set(CATALOG.vendors) >= {
        "openai", "anthropic", "google", "aws", "azure", "mistral", "cohere", "deepseek", "xai", "groq",
        "alibaba", "baidu", "tencent", "volcengine", "zhipu", "moonshot", "minimax", "perplexity",
    }  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_files_are_sorted_and_short_enough_to_review(name: str) -> None:
    text = DATA.joinpath(name).read_text(encoding="utf-8")
    rows = re.findall(r'^\[\[model\]\]\nmodel = "(.+)"', text, re.MULTILINE)
    assert rows == sorted(rows, key=str.lower)
    assert len(text.splitlines()) <= 550
    assert name.startswith(re.findall(r'^vendor = "(.+)"', text, re.MULTILINE)[0])

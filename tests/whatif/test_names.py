"""Which models the names on a command line mean, and what is said of those that mean none or several."""

from datetime import date

import pytest

from tokenweir.catalog import Catalog
from tokenweir.errors import WrongCall
from tokenweir.pricing import PriceBook
from tokenweir.whatif import Names, matching_models

ON = date(2026, 11, 25)
PAIRS = [
    ("openai", "gpt-4o"),
    ("azure", "gpt-4o"),
    ("openai", "gpt-4o-mini"),
    ("anthropic", "claude-haiku-4-5"),
    ("together", "meta-llama/Llama-3.3-70B"),
]


@pytest.fixture(scope="module")
def names() -> Names:
    return Names(PriceBook.default(), Catalog.default())


def test_a_name_with_its_vendor(names: Names) -> None:
    found = names.candidate("openai/gpt-5-mini", ON)
    assert (found.vendor, found.model) == ("openai", "gpt-5-mini")
    assert found.known is not None
    assert found.known.retires_on == date(2026, 12, 11)


def test_a_bare_name_that_one_vendor_has(names: Names) -> None:
    assert names.candidate("mistral-large-2512", ON).name == "mistral/mistral-large-2512"


def test_a_name_with_a_slash_of_its_own(names: Names) -> None:
    assert names.candidate("groq/openai/gpt-oss-120b", ON).model == "openai/gpt-oss-120b"


def test_an_inference_profile(names: Names) -> None:
    profile = "eu.anthropic.claude-haiku-4-5-20251001-v1:0"
    assert names.candidate(f"aws/{profile}", ON).model == profile


def test_a_bare_name_of_several_vendors_is_refused_with_the_choices(names: Names) -> None:
    with pytest.raises(WrongCall, match="several vendors have a model gpt-4o") as refused:
        names.candidate("gpt-4o", ON)
    assert "azure/gpt-4o" in refused.value.hint
    assert "openai/gpt-4o" in refused.value.hint


@pytest.mark.parametrize("name", ["gpt-5-mni", "openai/gpt-5-mni"])
def test_an_unknown_name_is_refused_with_the_nearest(names: Names, name: str) -> None:
    with pytest.raises(WrongCall, match=f"know a model {name}") as refused:
        names.candidate(name, ON)
    assert "openai/gpt-5-mini" in refused.value.hint


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["openai/gpt-4o"], {PAIRS[0]}),
        (["gpt-4o-mini"], {PAIRS[2]}),
        (["GPT-4o-Mini"], {PAIRS[2]}),
        (["gpt-4o*"], set(PAIRS[:3])),
        (["openai/*", "claude-*"], {PAIRS[0], PAIRS[2], PAIRS[3]}),
        (["meta-llama/*"], {PAIRS[4]}),
        (["*"], set(PAIRS)),
    ],
)
def test_which_calls_are_meant(asked: list[str], found: set[tuple[str, str]]) -> None:
    assert matching_models(asked, PAIRS) == found


def test_names_that_mean_no_call_or_several_vendors_are_refused() -> None:
    with pytest.raises(WrongCall, match=r"no call is of gpt-4p. Did you mean .*openai/gpt-4o"):
        matching_models(["gpt-4p"], PAIRS)
    with pytest.raises(WrongCall, match=r"Name one: azure/gpt-4o, openai/gpt-4o$"):
        matching_models(["gpt-4o"], PAIRS)
    with pytest.raises(WrongCall, match="weir spend"):
        matching_models(["gpt-4o"], [])

"""Which series a group counts in, and what they are called."""

from streams.detectors.levels import LEVELS, level_keys, name_of, scope_of
from tests.detectors.made_minutes import Traffic, minutes


def names(**fields: str) -> dict[str, str]:
    whole = next(iter(minutes([Traffic()], 0.001))).rows[0].names
    return {**whole, **fields}


def test_a_group_counts_at_every_level_that_it_names() -> None:
    assert [number for number, _ in level_keys(names())] == list(range(len(LEVELS)))


def test_who_names_no_service_team_or_key_is_no_series_of_these() -> None:
    keys = level_keys(names(service="", team="", api_key=""))
    assert [scope_of(key) for key in keys] == [
        {},
        {"project": "shop"},
        {"vendor": "openai"},
        {"vendor": "openai", "model": "gpt-5-mini"},
    ]


def test_a_sentence_names_the_owner() -> None:
    told = [name_of(key) for key in level_keys(names())]
    assert told == [
        "the whole tenant",
        "project shop",
        "team search",
        "service ranker of team search (production)",
        "api key key-1",
        "vendor openai",
        "model gpt-5-mini of openai",
    ]

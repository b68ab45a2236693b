"""Of all levels that are too dear, those at which the cause sits."""

from collections.abc import Mapping

from streams.detectors.cost_cause import Costs, Excess, Spent, causes
from streams.detectors.levels import LevelKey
from streams.detectors.usual_mix import UsualMix
from tests.detectors.made_minutes import START_MINUTE, Traffic, minutes

USD = 10**12
TENANT: LevelKey = (0, ())
TEAM: LevelKey = (2, ("shop", "search"))
MODEL: LevelKey = (6, ("openai", "gpt-5-mini"))


def service(name: str) -> LevelKey:
    return (3, ("shop", "search", name, "production"))


def names(name: str) -> dict[str, str]:
    return {
        "project": "shop",
        "team": "search",
        "service": name,
        "environment": "production",
        "api_key": "key-1",
        "vendor": "openai",
        "model": "gpt-5-mini",
    }


def excess(key: LevelKey, usd_per_day: float, *, at_once: bool = True) -> Excess:
    return Excess(key, usd_per_day, usual_usd=0.01, at_once=at_once)


def everything(_: Mapping[str, str]) -> bool:
    return True


def nothing(_: Mapping[str, str]) -> bool:
    return False


def mix(calls: int = 1, price: int = 1) -> UsualMix:
    """Of an hour of the team's two services; in the last ten minutes one has so many times the calls, or the price."""
    made = UsualMix()
    for minute in minutes([Traffic(service="ranker"), Traffic(service="writer")], 0.04):
        is_late = minute.minute - START_MINUTE >= 48
        for row in minute.rows if is_late else ():
            if row.names["service"] == "ranker":
                row.sums.calls *= calls
                row.sums.tokens = [tokens * calls for tokens in row.sums.tokens]
                row.sums.cost_picos *= calls * price
        made.add(minute.minute, minute.rows, frozen=everything if is_late else nothing)
    return made


def spent(latest: Costs, buckets: Costs = (), to_whole: float = 1.0) -> Spent:
    return Spent([buckets] * 12, latest, is_open=True, to_whole=to_whole)


def keys(found: list[Excess]) -> list[LevelKey]:
    return [one.key for one in found]


def test_a_loop_is_told_at_its_service_though_others_happen_to_spend_more_just_then() -> None:
    found = [excess(TEAM, 1_700), excess(service("ranker"), 1_000), excess(MODEL, 1_700)]
    latest = [(names("ranker"), int(0.7 * USD)), (names("writer"), int(1.1 * USD))]
    assert keys(causes(found, spent(latest), (), (), mix(calls=10))) == [service("ranker")]


def test_what_is_dearer_by_its_price_is_told_where_most_of_it_is() -> None:
    found = [excess(TEAM, 1_700), excess(service("ranker"), 900), excess(MODEL, 1_700)]
    latest = [(names("ranker"), USD), (names("writer"), USD)]
    assert keys(causes(found, spent(latest), (), (), mix(price=10))) == [MODEL]


def test_who_only_has_the_costs_of_an_incident_is_not_told() -> None:
    latest = [(names("ranker"), USD), (names("writer"), int(0.2 * USD))]
    team = [excess(TEAM, 1_440)]
    assert not causes(team, spent(latest), [service("ranker")], (), mix(calls=10))
    assert keys(causes(team, spent(latest), [service("writer")], (), mix())) == [TEAM]


def test_an_open_minute_is_held_against_what_it_comes_to() -> None:
    calm = [(names("writer"), USD)]
    latest = [(names("ranker"), int(0.25 * USD)), (names("writer"), int(0.25 * USD))]
    team = [excess(TEAM, 1_440)]
    assert keys(causes(team, spent(latest, calm), [service("ranker")], (), mix(calls=10))) == [TEAM]
    assert not causes(team, spent(latest, calm, to_whole=3.0), [service("ranker")], (), mix(calls=10))


def test_what_rests_on_the_last_hour_is_not_told_of_what_was_an_incident_in_it() -> None:
    hour = [(names("ranker"), 10 * USD), (names("writer"), USD)]
    for at_once, expected in ((True, [TENANT]), (False, [])):
        found = [excess(TENANT, 100_000, at_once=at_once)]
        assert keys(causes(found, spent((), hour), (), [service("ranker")], mix())) == expected

"""The simulated fleet's migrations, and nothing else of its month: not its outage with failover, nor its controls."""

from streams.detectors.incidents import Incidents
from streams.detectors.migration import MigrationDetector
from tests.detectors.feeding import fleet, observe
from tests.detectors.judging_moves import judge_moves


def test_a_month_of_the_fleet() -> None:
    feed = fleet(100)
    incidents = Incidents(feed.story.tenant)
    signals = []
    for minute, said in observe([MigrationDetector(feed.surroundings())], feed.minutes()):
        signals += incidents.tick(minute, said)
    figures = judge_moves(feed.story, signals)
    assert len(figures.moves) == figures.found == 7
    assert figures.false == ()
    assert (figures.precision, figures.recall, figures.stages_right) == (1.0, 1.0, 1.0)
    assert figures.delay_hours is not None
    assert figures.delay_hours < 48
    for found in figures.moves:
        expected = {"price_cut": {"price"}, "retirement": {"model_mix", "errors"}}[found.cause]
        assert found.first_component in expected
    nothing = judge_moves(feed.story, [])
    assert (nothing.precision, nothing.recall, nothing.delay_hours) == (1.0, 0.0, None)
    assert len(judge_moves(feed.story.model_copy(update={"incidents": ()}), signals).false) == 7

"""The benchmark of many live series at a tiny size: that it measures what it says, never how fast it is."""

from benchmarks import live_series
from benchmarks.large_tenant import MESSAGES_A_MINUTE, LargeTenant
from streams.windows import group_values

MINUTE = 29_377_390


def test_minutes_of_all_detectors_are_measured_beside_fewer_series() -> None:
    found = {
        one.name: one
        for one in live_series.run(series=120, fewer=60, least=30, learning_minutes=40, timed_minutes=6)
    }
    assert found.keys() == {
        "live_series_minute",
        "live_series_minute_each",
        "live_series_longest_minute",
        "live_series_open_look",
        "live_series_memory",
        "live_series_checkpoint",
        "baselines_bucket",
    }
    for one in found.values():
        assert one.value is not None
        assert one.baseline is not None
    assert found["live_series_minute"].value
    assert "levels of cost" in found["live_series_minute"].note
    assert found["live_series_minute_each"].bar


def test_series_are_counted_in_what_the_detectors_hold() -> None:
    found = live_series.measured(300, 40, 6)
    assert len(found.minutes_ms) == 6
    # In each minute the one before is closed once, and the open one looked at with every other message.
    assert len(found.looks_ms) == 6 * (MESSAGES_A_MINUTE - 1)
    assert found.total == sum(found.series.values())
    # The tenant, projects, teams, services, keys, vendors and models that have called in that time.
    assert found.series["levels of cost"] > found.series["models for calls without a price"]
    assert found.series["cells of latency"] <= found.series["groups of the usual mix"]
    assert found.series["models of workloads for migrations"] == found.series["cells of failures"]


def test_the_tenant_has_a_busy_head_and_a_long_tail() -> None:
    tenant = LargeTenant(2_000)
    rates = sorted(group.calls_a_minute for group in tenant.groups)
    assert len(rates) == 3_000
    assert rates[len(rates) // 2] * 60 < 2
    assert rates[-len(rates) // 100] > 1
    messages = tenant.messages(MINUTE)
    windows = [window for message in messages for window in message]
    assert len(messages) == MESSAGES_A_MINUTE
    assert len({group_values(window) for window in windows}) == len(windows) < len(rates) / 4
    assert all(sum(window.calls_by_status.values()) == window.calls for window in windows)
    assert len({window.partial_id for window in windows}) == MESSAGES_A_MINUTE
    assert tenant.messages(MINUTE + 1)[0][0].partial_id != messages[0][0].partial_id


def test_the_same_seed_makes_the_same_tenant() -> None:
    one, other = (LargeTenant(200) for _ in range(2))
    assert one.messages(MINUTE) == other.messages(MINUTE)

"""Arrays of many series: how they grow, what they are as bytes, and the last buckets that are kept in them."""

import numpy as np
import pytest

from streams.detectors.baseline import WARM_UP, Baselines
from streams.detectors.hour_means import HourMeans
from streams.detectors.past_buckets import NO_BUCKET, Bucket, PastBuckets
from streams.detectors.series_arrays import BLOCK, blocks, capacity, from_bytes, grown, to_bytes

HOUR = 12


def test_an_array_grows_by_more_than_is_asked_for_and_keeps_what_it_has() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    larger = grown(array, 4)
    assert capacity(larger) > 4
    assert larger[:, :3].tolist() == array.tolist()
    assert not larger[:, 3:].any()
    assert grown(larger, 4) is larger


@pytest.mark.parametrize("shape", [(), (3,), (2, 5)])
def test_bytes_hold_one_series_after_the_other(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(1).random((*shape, 7)).astype(np.float32)
    kept = to_bytes(array, 4)
    assert kept == b"".join(np.ascontiguousarray(array[..., series]).tobytes() for series in range(4))
    assert np.array_equal(from_bytes(kept, array, 4), array[..., :4])
    with pytest.raises(ValueError, match="bytes are not 5 series"):
        from_bytes(kept, array, 5)


def test_blocks_are_all_series_once_and_keep_pairs_together() -> None:
    for count in (0, 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5):
        places = [place for block in blocks(count) for place in range(count)[block]]
        assert places == list(range(count))
        assert all(block.start % 2 == 0 for block in blocks(count))


def test_a_series_is_judged_the_same_wherever_it_stands_among_many() -> None:
    dice = np.random.default_rng(2)
    many, alone = Baselines(300.0), Baselines(300.0)
    indexes, one = many.open(BLOCK + 2), alone.open(1)
    for step in range(WARM_UP + 30):
        values = dice.lognormal(0.0, 1.0, len(indexes))
        among = many.judge(indexes, step * 300.0, values)
        by_itself = alone.judge(one, step * 300.0, values[-1:])
        for mine, its in zip(among, by_itself, strict=True):
            assert mine[-1] == its[0]


def close(past: PastBuckets, *series: tuple[int, float]) -> None:
    """A bucket in which these series (by index) cost so much, a call a dollar, and usually half of it."""
    indexes = np.array([index for index, _ in series], np.intp)
    usd = np.array([cost for _, cost in series])
    past.close(indexes, (usd, usd / 2, usd / 4, usd))


def test_the_last_buckets_are_added_up_and_older_ones_are_gone() -> None:
    past = PastBuckets(HOUR)
    past.begin(0)
    assert past.last(0, HOUR) == NO_BUCKET
    for number in range(HOUR + 3):
        close(past, (0, float(number)))
    assert past.last(0, 1) == Bucket(14.0, 7.0, 3.5, 14)
    assert past.last(0, 3) == Bucket(39.0, 19.5, 9.75, 39)
    assert past.last(0, HOUR).cost_usd == sum(range(3, 15))


def test_a_series_that_begins_has_no_past_whoever_had_its_place() -> None:
    past = PastBuckets(HOUR)
    past.begin(0)
    close(past, (0, 8.0))
    past.begin(20)
    close(past, (0, 2.0), (20, 3.0))
    assert past.last(20, HOUR).cost_usd == 3.0
    assert past.last(0, HOUR).cost_usd == 10.0
    past.begin(0)
    assert past.last(0, HOUR) == NO_BUCKET
    fresh = PastBuckets(HOUR)
    fresh.restore(past.state())
    for each in (past, fresh):
        close(each, (20, 4.0))
        assert each.last(20, 2).cost_usd == 7.0
    assert fresh.state() == past.state()


def test_an_hour_of_the_day_has_a_mean_of_its_own_and_its_neighbours_beside_it() -> None:
    means = HourMeans(HOUR)
    means.begin(0)
    only = np.zeros(1, np.intp)
    for bucket in range(24 * HOUR):
        means.learn(only, bucket, np.array([float(bucket // HOUR)]), np.array([bucket], np.intp))
    assert means.around(only, 5 * HOUR + 3).tolist() == [[4.0, 5.0, 6.0]]
    assert means.around(only, 24 * HOUR).tolist() == [[23.0, 0.0, 1.0]]
    # Once a day was seen, one bucket counts for five times the mean at the most.
    means.learn(only, 30 * HOUR, np.array([1e9]), np.array([30 * HOUR], np.intp))
    assert means.around(only, 30 * HOUR)[0, 1] < 6 + 5 * 12 / HOUR

"""The ledger on which panels are timed is one that the views read whole."""

from datetime import UTC, timedelta
from pathlib import Path

from pydantic import SecretStr

from benchmarks import panels
from sinks.clickhouse import connect, migrate
from tokenweir.settings import ClickHouseSettings


def test_panels_are_timed_over_a_ledger_that_adds_up(tmp_path: Path) -> None:
    settings = ClickHouseSettings(dsn=SecretStr(f"chdb://{tmp_path / 'ledger'}"), database="tokenweir")
    with connect(settings) as client:
        migrate(client, settings)
        panels.fill(client, calls=720_000, groups=50)
        by_hour = client.query("SELECT sum(calls), uniqExact(team), sum(cost) > 0 FROM usage_by_hour")
        whole_hours = client.query(
            "SELECT count(DISTINCT hour), min(calls) FROM rollup_hour WHERE is_seal = 0"
        )
        (last,) = client.query("SELECT max(minute) FROM usage_by_minute")
        assert client.query("SELECT count(), countIf(state = 'resolved') > 0 FROM incidents")[0][0] == 2_000
    # The last hour is read from its minutes: of it only thirty are over.
    assert whole_hours == [(720, 20)]
    assert by_hour[0][0] > 719 * 50 * 20
    assert by_hour[0][1:] == (20, 1)
    assert last[0].replace(tzinfo=UTC) == panels.END - timedelta(minutes=1)

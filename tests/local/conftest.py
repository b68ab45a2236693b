"""An embedded engine with a small ledger, for what reads it."""

from collections.abc import Iterator
from contextlib import closing

import chdb
import pytest


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An engine with a small ledger; the writer's connection stays open as the pipeline's would."""
    path = str(tmp_path_factory.mktemp("engine") / "chdb")
    with closing(chdb.connect(path)) as writer:
        writer.query("CREATE DATABASE tokenweir")
        writer.query(
            "CREATE TABLE tokenweir.events (id UInt64, team String, cost Nullable(Decimal(38, 12)), "
            "time DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY id"
        )
        writer.query(
            "INSERT INTO tokenweir.events SELECT number, concat('team-', toString(number % 3)), "
            "if(number % 10 = 0, NULL, toDecimal128('0.000000000001', 12) * number), "
            "toDateTime64('2026-11-01 00:00:00', 3, 'UTC') + number FROM numbers(1000)"
        )
        yield path

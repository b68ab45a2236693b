"""Options that several commands share, and how a command finds the ledger that they name."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from pydantic import SecretStr

from sinks.clickhouse.client import LedgerClient, connect
from sinks.clickhouse.migrate import migrate
from tokenweir.errors import WrongCall
from tokenweir.local.data_dir import DataDir, RunningPipeline
from tokenweir.settings import ClickHouseSettings, Settings

_F = TypeVar("_F", bound=Callable[..., Any])
_LOCK_WAIT_SECONDS: Final = 10.0

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for a program.")
data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="The embedded ledger's directory [default: the settings' ledger, else .tokenweir].",
)
where_option = click.option(
    "--where",
    multiple=True,
    metavar="DIMENSION=VALUE",
    help="Only this; repeat for more dimensions, or for another value of one.",
)


def parse_conditions(where: Sequence[str]) -> dict[str, list[str]]:
    """What --where was given, values by dimension. Raises WrongCall for what is not of its form."""
    conditions: dict[str, list[str]] = {}
    for condition in where:
        name, equals, value = condition.partition("=")
        if not equals:
            raise WrongCall(f"--where {condition!r} is not of the form DIMENSION=VALUE")
        conditions.setdefault(name, []).append(value)
    return conditions


def ledger_options(command: _F) -> _F:
    """Adds --data-dir and --json."""
    return data_dir_option(json_option(command))


@dataclass(frozen=True, slots=True)
class Place:
    """Where the ledger is: an embedded one in a directory, or the server of the settings."""

    settings: Settings
    data_dir: DataDir | None

    @property
    def recorded_prices(self) -> Path:
        """The folder of recorded price updates that go with this ledger."""
        if self.data_dir is None:
            return self.settings.recorded_prices
        return self.settings.pricing.recorded_in(self.data_dir.path)


def find_place(data_dir: Path | None) -> Place:
    """The ledger that --data-dir names, else the settings' server, else the embedded one of the settings."""
    settings = Settings()
    if data_dir is not None:
        return Place(settings, DataDir(data_dir))
    if settings.clickhouse.dsn.get_secret_value():
        return Place(settings, None)
    return Place(settings, DataDir(settings.local.data_dir))


def with_dsn(settings: ClickHouseSettings, dsn: str) -> ClickHouseSettings:
    """The same settings for another store."""
    return settings.model_copy(update={"dsn": SecretStr(dsn)})


def running_ledger(settings: ClickHouseSettings, running: RunningPipeline) -> ClickHouseSettings:
    """The settings by which another process queries the ledger of a run."""
    return with_dsn(settings, f"clickhouse://{running.host}:{running.clickhouse_port}")


def require_ledger(place: Place) -> None:
    """Raises WrongCall for an embedded ledger that is not there."""
    if place.data_dir is not None and not place.data_dir.ledger.exists():
        raise WrongCall(
            f"there is no ledger in {place.data_dir.path}",
            hint="Fill one with `weir ingest` or `weir demo`, or name another with --data-dir",
        )


@contextmanager
def open_ledger(place: Place) -> Iterator[LedgerClient]:
    """The ledger, for reading: through the run that has it open, or directly where none has.

    Raises WrongCall for an embedded ledger that is not there, StoreUnavailable where it cannot be reached.
    """
    clickhouse = place.settings.clickhouse
    if place.data_dir is None:
        with connect(clickhouse) as client:
            yield client
        return
    running = place.data_dir.running()
    if running is not None:
        with connect(running_ledger(clickhouse, running)) as client:
            yield client
        return
    require_ledger(place)
    with place.data_dir.locked(wait_seconds=_LOCK_WAIT_SECONDS):
        embedded = with_dsn(clickhouse, f"chdb://{place.data_dir.ledger}")
        with connect(embedded) as client:
            migrate(client, embedded)
            yield client

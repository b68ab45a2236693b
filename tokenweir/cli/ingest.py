"""`weir ingest`: logs and exports into the ledger, through the whole pipeline."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from producers.batching import Message
from producers.delivery import Delivery
from producers.files import ColumnMap, FileReading, ReadOptions, UnreadableFile, format_names, read_files
from producers.sender import BlockingSender
from tokenweir import topics
from tokenweir.cli.logs import set_up_logs
from tokenweir.cli.options import Place, find_place, ledger_options
from tokenweir.cli.output import print_json
from tokenweir.errors import BrokerUnavailable, StoreUnavailable
from tokenweir.local.drain import wait_until_stored
from tokenweir.local.pipeline import LocalPipeline
from tokenweir.local.thread import running
from tokenweir.settings import KafkaSettings
from tokenweir.usage import Rejection, UsageEvent

_STORE_SECONDS = 3600.0
_PATIENCE_SECONDS = 120.0


@dataclass(slots=True)
class IngestSummary:
    """What was read. `events` were stored or were in the ledger already; `rejected` are listed by `weir rejected`."""

    files: int
    events: int = 0
    rejected: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    broken_off: str = ""
    seconds: float = 0.0


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "form", help=f"{', '.join(format_names())} [default: found by content].")
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="Which column holds a field; repeat. Units and time formats: docs/ingest.md.",
)
@click.option("--set", "sets", multiple=True, metavar="FIELD=VALUE", help="The same value for all; repeat.")
@click.option("--surface", help="Of raw vendor answers: chat_completions, messages… [default: found].")
@ledger_options
def ingest(
    paths: tuple[Path, ...],
    form: str | None,
    maps: tuple[str, ...],
    sets: tuple[str, ...],
    surface: str | None,
    as_json: bool,
    data_dir: Path | None,
) -> int:
    """Read usage from files into the ledger; returns when all is stored.

    Takes event NDJSON, any CSV or JSON Lines through a column map, and raw answers of OpenAI, Anthropic and Google;
    plain or gzip. Reading a file again, or a file that has grown, counts nothing twice. Goes through the pipeline
    that runs on the data directory, or one of its own.

    \b
    Examples:
      weir ingest events.ndjson.gz
      weir ingest log.csv --map time=TIMESTAMP --map input_tokens=ContextTokens \\
        --map output_tokens=GeneratedTokens --set vendor=azure --set model=gpt-4
    """
    place = find_place(data_dir)
    set_up_logs(place.settings.model_copy(update={"log_level": "warning"}))
    options = ReadOptions(
        now=datetime.now(UTC), format=form, column_map=ColumnMap.parse(maps, sets), surface=surface
    )
    reading = read_files(paths, options)
    summary = IngestSummary(files=len(paths))
    began = time.monotonic()
    with _kafka_of(place) as (kafka, delivery):
        try:
            _send(reading, delivery, summary, quiet=as_json or not sys.stderr.isatty())
        except UnreadableFile as error:
            summary.broken_off = str(error)
        undrained = wait_until_stored(kafka, timeout_seconds=_STORE_SECONDS)
        if undrained.total:
            raise StoreUnavailable(
                f"{undrained.total} messages are not stored after {_STORE_SECONDS:.0f} s",
                hint="They are kept in Kafka and will be; `weir doctor` says what holds them up",
            )
    summary.seconds = round(time.monotonic() - began, 1)
    _show(summary, as_json)
    return 1 if summary.broken_off else 0


def _send(reading: FileReading, delivery: Delivery, summary: IngestSummary, *, quiet: bool) -> None:
    sender = BlockingSender(delivery, patience_seconds=_PATIENCE_SECONDS)
    rejected_topic = delivery.topic(topics.REJECTED.name)
    with _progress(reading.total_bytes, quiet) as tell:
        try:
            for count, piece in enumerate(reading):
                if isinstance(piece, UsageEvent):
                    sender.record_blocking(piece)
                    summary.events += 1
                    summary.input_tokens += piece.input_tokens
                    summary.output_tokens += piece.output_tokens
                else:
                    _reject(piece, delivery, rejected_topic)
                    summary.rejected += 1
                if count % 256 == 0:
                    tell(reading)
        finally:
            sender.flush()
            tell(reading)
    if not delivery.flush(_PATIENCE_SECONDS):
        raise BrokerUnavailable(
            f"Kafka confirmed nothing for {_PATIENCE_SECONDS:.0f} s", hint="See `weir doctor`"
        )


def _reject(rejection: Rejection, delivery: Delivery, topic: str) -> None:
    message = Message(topic, None, rejection.model_dump_json().encode(), 1)
    delivery.send(message, timeout_seconds=_PATIENCE_SECONDS)


@contextmanager
def _kafka_of(place: Place) -> Iterator[tuple[KafkaSettings, Delivery]]:
    """The Kafka that leads to the ledger, and a way into it: a running pipeline's, the cluster's, or one of our own."""
    found = None if place.data_dir is None else place.data_dir.running()
    if place.data_dir is not None and found is None:
        with running(LocalPipeline(place.data_dir, place.settings, doors=None)) as thread:
            yield thread.pipeline.settings.kafka, thread.pipeline.delivery
        return
    kafka = place.settings.kafka
    if found is not None:
        kafka = kafka.model_copy(update={"bootstrap_servers": found.kafka_bootstrap_servers})
    delivery = Delivery(kafka)
    try:
        yield kafka, delivery
    finally:
        delivery.close(_PATIENCE_SECONDS)


@contextmanager
def _progress(total_bytes: int, quiet: bool) -> Iterator[Callable[[FileReading], None]]:
    if quiet:
        yield lambda _: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[events]:,} events"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("reading", total=total_bytes or None, events=0)

        def tell(reading: FileReading) -> None:
            name = reading.path.name if reading.path is not None else "reading"
            progress.update(task, description=name, completed=reading.read_bytes, events=reading.event_count)

        yield tell


def _show(summary: IngestSummary, as_json: bool) -> None:
    if as_json:
        print_json({**asdict(summary), "seconds": str(summary.seconds)})
        return
    click.echo(
        f"{summary.events:,} events stored from {summary.files} "
        f"{'file' if summary.files == 1 else 'files'} in {summary.seconds:.1f} s: "
        f"{summary.input_tokens:,} input and {summary.output_tokens:,} output tokens"
    )
    if summary.rejected:
        click.echo(f"{summary.rejected:,} rows were refused; `weir rejected` says why", err=True)
    if summary.broken_off:
        click.echo(f"weir: {summary.broken_off}", err=True)

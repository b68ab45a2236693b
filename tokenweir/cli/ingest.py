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

from producers.delivery import Delivery
from producers.delivery.batching import Message
from producers.delivery.sender import BlockingSender
from producers.files import ColumnMap, FileReading, ReadOptions, UnreadableFile, format_names, read_files
from tokenweir import topics
from tokenweir.cli.logs import set_up_logs
from tokenweir.cli.options import find_place, ledger_options
from tokenweir.cli.output import print_json
from tokenweir.cli.way import PATIENCE_SECONDS, Way, way_to_ledger
from tokenweir.errors import BrokerUnavailable
from tokenweir.usage import Rejection, UsageEvent

_CHECK_EVERY_PIECES = 256
_FORMAT_HELP = f"{', '.join(format_names())} [default: found by content]."
_MOST_SAID = 5


@dataclass(slots=True)
class IngestSummary:
    """What was read. `events` were stored or were in the ledger already; `rejected` are listed by `weir rejected`.

    skipped_files: of directories and patterns, those that could not be read.
    """

    files: int
    skipped_files: int = 0
    events: int = 0
    rejected: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    broken_off: str = ""
    seconds: float = 0.0


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "form", metavar="FORMAT", help=_FORMAT_HELP)
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

    PATH is a file, a directory or a pattern. Takes usage events, any CSV or JSON through a column map, vendors' raw
    answers, and the records of gateways, clouds and coding agents; plain, gzip or zstd. Reading a file again, or a
    file that has grown, counts nothing twice. Goes through the pipeline that runs on the data directory, or one of
    its own.

    \b
    Examples:
      weir ingest events.ndjson.gz
      weir ingest ~/.claude/projects
      weir ingest log.csv --map time=TIMESTAMP --map input_tokens=ContextTokens \\
        --map output_tokens=GeneratedTokens --set vendor=azure --set model=gpt-4
    """
    place = find_place(data_dir)
    set_up_logs(place.settings.model_copy(update={"log_level": "warning"}))
    options = ReadOptions(
        now=datetime.now(UTC), format=form, column_map=ColumnMap.parse(maps, sets), surface=surface
    )
    reading = read_files(paths, options)
    summary = IngestSummary(files=reading.file_count, skipped_files=len(reading.skipped))
    _say_skipped(reading)
    began = time.monotonic()
    with way_to_ledger(place, (topics.USAGE, topics.REJECTED)) as way:
        try:
            _send(reading, way, summary, quiet=as_json or not sys.stderr.isatty())
        except UnreadableFile as error:
            summary.broken_off = str(error)
        way.wait_until_stored()
    summary.seconds = round(time.monotonic() - began, 1)
    _show(summary, as_json)
    return 1 if summary.broken_off or (summary.rejected and not summary.events) else 0


def _say_skipped(reading: FileReading) -> None:
    for problem in reading.skipped[:_MOST_SAID]:
        click.echo(f"passed over: {problem.message}", err=True)
    if len(reading.skipped) > _MOST_SAID:
        click.echo(f"passed over: {len(reading.skipped) - _MOST_SAID} files more", err=True)


def _send(reading: FileReading, way: Way, summary: IngestSummary, *, quiet: bool) -> None:
    delivery = way.delivery
    sender = BlockingSender(delivery, patience_seconds=PATIENCE_SECONDS)
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
                if count % _CHECK_EVERY_PIECES == 0:
                    tell(reading)
                    way.check()
        except UnreadableFile:
            sender.flush()
            raise
        sender.flush()
        tell(reading)
    if not delivery.flush(PATIENCE_SECONDS):
        raise BrokerUnavailable(
            f"Kafka confirmed nothing for {PATIENCE_SECONDS:.0f} s", hint="See `weir doctor`"
        )


def _reject(rejection: Rejection, delivery: Delivery, topic: str) -> None:
    message = Message(topic, None, rejection.model_dump_json().encode(), 1)
    delivery.send(message, timeout_seconds=PATIENCE_SECONDS)


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

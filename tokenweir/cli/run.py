"""`weir up` and `weir demo`: the embedded pipeline for a person, until interrupted."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path

import click

from tokenweir.cli.logs import set_up_logs
from tokenweir.cli.moments import parse_moment
from tokenweir.cli.options import data_dir_option, json_option
from tokenweir.cli.output import print_json
from tokenweir.errors import StoreUnavailable, WrongCall
from tokenweir.local.clock import utc_now
from tokenweir.local.data_dir import DataDir
from tokenweir.local.demo import DemoOptions, DemoSummary, live_events, play_demo
from tokenweir.local.pipeline import Doors, LocalPipeline
from tokenweir.local.price_following import prices_followed
from tokenweir.local.thread import PipelineThread, running
from tokenweir.settings import Settings

_WATCH_SECONDS = 0.5


def _port_options(command: click.decorators.FC) -> click.decorators.FC:
    command = click.option(
        "--clickhouse-port",
        type=click.IntRange(0, 65535),
        help="Port of the ClickHouse HTTP endpoint [default: 8124, or a free one].",
    )(command)
    return click.option(
        "--port",
        type=click.IntRange(0, 65535),
        help="Port of page and gateway [default: 8765, or a free one].",
    )(command)


@click.command()
@data_dir_option
@_port_options
def up(data_dir: Path | None, port: int | None, clickhouse_port: int | None) -> int:
    """Run the whole pipeline in this process, until interrupted: broker, meter, sink, detectors, ledger, page.

    \b
    Example:
      weir up --data-dir ./ledger
    """
    settings = Settings()
    set_up_logs(settings)
    place = DataDir(data_dir or settings.local.data_dir)
    doors = Doors(host=settings.local.host, port=port, clickhouse_port=clickhouse_port)
    pipeline = LocalPipeline(place, settings, doors=doors, detects=True, notifies=True)
    with _interrupted() as interrupted, running(pipeline) as thread:
        _say_where(pipeline)
        with prices_followed(pipeline):
            _watch(thread, interrupted)
        click.echo("stopping: storing what waits…", err=True)
    return _say_undrained(pipeline)


@click.command()
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 366), help="Days to simulate.")
@click.option("--seed", default=1, show_default=True, help="Another seed is another story.")
@click.option("--calls-scale", default=1.0, show_default=True, help="More or fewer calls, as a factor.")
@click.option(
    "--end",
    metavar="TIME",
    help="When the simulated time ends, such as 2026-11-20 [default: now]. The page then stands at that moment.",
)
@click.option("--no-wait", is_flag=True, help="Exit when all is stored, instead of staying up for a look.")
@data_dir_option
@_port_options
@json_option
def demo(
    days: int,
    seed: int,
    calls_scale: float,
    end: str | None,
    no_wait: bool,
    data_dir: Path | None,
    port: int | None,
    clickhouse_port: int | None,
    as_json: bool,
) -> int:
    """Send a simulated company's month through the whole pipeline, check the ledger, and show it.

    The fleet has a story: a price cut that moves traffic, a retirement, a runaway loop, a vendor outage, a free pack
    that runs out. What truly happened is written to story.json in the data directory. The data directory (default
    .tokenweir/demo) is emptied first.

    \b
    Example:
      weir demo --days 7 --seed 42
      weir demo --end 2026-11-20
    """
    settings = Settings()
    set_up_logs(settings.model_copy(update={"log_level": "warning"}))
    place = DataDir(data_dir or settings.local.data_dir / "demo")
    ended_at = _ended_at(end)
    options = DemoOptions(days=days, seed=seed, calls_scale=calls_scale, end=ended_at)
    doors = Doors(
        host=settings.local.host, port=port, clickhouse_port=clickhouse_port, page_stands_at=ended_at
    )
    with _interrupted() as interrupted:
        pipeline, play = play_demo(place, settings, options, None if no_wait else doors)
        with running(pipeline) as thread:
            summary = play(thread, interrupted, None if as_json else lambda text: click.echo(text, err=True))
            if summary is not None:
                _show(summary, as_json)
            if not no_wait and summary is not None and not interrupted.is_set():
                _say_where(pipeline)
                # A month that is over goes on in no time that the page would show.
                with nullcontext() if ended_at else live_events(pipeline, options):
                    _watch(thread, interrupted)
                click.echo("stopping: storing what waits…", err=True)
    if summary is None:
        click.echo("interrupted; the next demo begins anew", err=True)
        return 130
    return _say_undrained(pipeline) or (0 if summary.exact else 1)


def _ended_at(end: str | None) -> datetime | None:
    now = utc_now()
    moment = parse_moment(end, now)
    if moment is not None and moment > now:
        raise WrongCall(
            f"{end} has not come yet", hint="Calls of the future are refused; name a time that is past"
        )
    return moment


def _show(summary: DemoSummary, as_json: bool) -> None:
    if as_json:
        print_json(summary.as_json())
        return
    for line in summary.as_text():
        click.echo(line)


def _say_where(pipeline: LocalPipeline) -> None:
    server, host = pipeline.server, pipeline.settings.local.host
    click.echo(
        f"\n  page      http://{host}:{server.port}/\n"
        f"  gateway   http://{host}:{server.port}/v1/events\n"
        f"  SQL       http://{host}:{server.clickhouse_port}/  (any ClickHouse client, read-only)\n"
        f"  Kafka     {pipeline.settings.kafka.bootstrap_servers}  (in memory)\n"
        f"  ledger    {pipeline.data_dir.path}\n\n"
        "  Ctrl-C stores what waits and ends.\n",
        err=True,
    )


def _watch(thread: PipelineThread, interrupted: threading.Event) -> None:
    """Waits for the person, or for a failure. Raises the failure."""
    failed = thread.submit(thread.pipeline.failed())
    try:
        while not interrupted.wait(_WATCH_SECONDS):
            if failed.done():
                raise failed.result()
    finally:
        failed.cancel()


def _say_undrained(pipeline: LocalPipeline) -> int:
    if not pipeline.undrained.total:
        return 0
    raise StoreUnavailable(
        f"{pipeline.undrained.total} messages could not be stored before the end",
        hint="Read the same files again: nothing is counted twice",
    )


@contextmanager
def _interrupted() -> Iterator[threading.Event]:
    """An event that Ctrl-C or SIGTERM sets; a second Ctrl-C ends the process at once."""
    event = threading.Event()

    def stop(number: int, _: object) -> None:
        if event.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        event.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

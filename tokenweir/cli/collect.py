"""`weir collect`: follows files as they grow, and sends what they grow by to Kafka."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import click

from producers.delivery import Delivery
from producers.files import ColumnMap, ReadOptions, format_names
from producers.files.column_map import near_match
from producers.following import (
    PRESETS,
    CheckpointStore,
    Follower,
    FollowOptions,
    KafkaSink,
    Round,
    preset_paths,
)
from tokenweir import topics
from tokenweir.cli.logs import set_up_logs
from tokenweir.cli.options import find_place, ledger_options
from tokenweir.cli.output import print_json
from tokenweir.cli.way import check_topics, way_to_ledger
from tokenweir.errors import BrokerUnavailable, WrongCall
from tokenweir.local.data_dir import DataDir
from tokenweir.settings import KafkaSettings, Settings

if TYPE_CHECKING:
    from producers.following.metrics import CollectorMetrics

_RETRY_SECONDS: Final = 5.0
_TOPICS: Final = (topics.USAGE, topics.REJECTED)


@click.group()
def collect() -> None:
    """Follow files and send what they grow by, each call once, through rotation, restarts and crashes.

    \b
    Examples:
      weir collect files /var/log/app/usage.jsonl
      weir collect agents
    """


def _follow_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(
        (
            click.option(
                "--set", "sets", multiple=True, metavar="FIELD=VALUE", help="The same value for all; repeat."
            ),
            click.option(
                "--state-dir",
                type=click.Path(path_type=Path, file_okay=False),
                help="Where it keeps how far it came, one a collector [default: collector in the data directory].",
            ),
            click.option("--once", is_flag=True, help="Read what is there, and end."),
            click.option(
                "--from-start/--from-end",
                default=True,
                help="Whether what is in the files at the very first start counts [default: it does].",
            ),
            click.option(
                "--poll-seconds",
                type=click.FloatRange(0.05, 3600),
                default=2.0,
                show_default=True,
                help="How often to look.",
            ),
            click.option(
                "--metrics-port", type=click.IntRange(1, 65535), help="Answer /metrics on this port."
            ),
        )
    ):
        command = option(command)
    return ledger_options(command)


@collect.command()
@click.argument("paths", nargs=-1, required=True)
@click.option(
    "--format", "form", metavar="FORMAT", help=f"{', '.join(format_names())} [default: found by content]."
)
@click.option(
    "--map", "maps", multiple=True, metavar="FIELD=COLUMN", help="Which column holds a field; repeat."
)
@click.option("--surface", help="Of raw vendor answers: chat_completions, messages… [default: found].")
@_follow_options
def files(
    paths: tuple[str, ...],
    form: str | None,
    maps: tuple[str, ...],
    sets: tuple[str, ...],
    surface: str | None,
    **options: Any,
) -> int:
    """Follow files, directories and patterns, until interrupted.

    Takes what `weir ingest` takes. A PATH need not be there yet; quote a pattern, so that files which come later are
    followed, too.

    \b
    Examples:
      weir collect files /var/log/app/usage.jsonl
      weir collect files 'logs/**/*.csv' --map time=TIMESTAMP --map input_tokens=ContextTokens \\
        --map output_tokens=GeneratedTokens --set vendor=azure --set model=gpt-4
      weir collect files spend.jsonl --format litellm_spend_log --once
    """
    if form is not None and form not in format_names():
        raise WrongCall(
            f"no format {form!r}",
            hint=f"{near_match(form, format_names())}Formats are {', '.join(format_names())}",
        )
    return _follow(paths, form, ColumnMap.parse(maps, sets), surface, **options)


@collect.command()
@click.argument("names", nargs=-1, metavar=f"[{'|'.join(PRESETS)}]...")
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The home directory that the agents write to [default: yours].",
)
@_follow_options
def agents(names: tuple[str, ...], home: Path | None, sets: tuple[str, ...], **options: Any) -> int:
    """Follow the local sessions of coding agents: all that are known, or those named.

    Looks where each agent keeps its sessions, and minds CLAUDE_CONFIG_DIR, CODEX_HOME and GEMINI_CLI_HOME.

    \b
    Examples:
      weir collect agents
      weir collect agents claude-code --set team=platform --once
    """
    for name in names:
        if name not in PRESETS:
            raise WrongCall(f"no agent {name!r} is known here", hint=f"Known are {', '.join(PRESETS)}")
    variables = os.environ if home is None else {}
    found = [
        pattern
        for name in names or tuple(PRESETS)
        for pattern in preset_paths(name, home or Path.home(), variables)
    ]
    return _follow(found, None, ColumnMap.parse((), sets), None, **options)


def _follow(
    patterns: Sequence[str],
    form: str | None,
    column_map: ColumnMap,
    surface: str | None,
    *,
    state_dir: Path | None,
    once: bool,
    from_start: bool,
    poll_seconds: float,
    metrics_port: int | None,
    data_dir: Path | None,
    as_json: bool,
) -> int:
    settings = Settings()
    set_up_logs(settings.model_copy(update={"log_level": "warning"}))
    read = ReadOptions(now=datetime.now(UTC), format=form, column_map=column_map, surface=surface)
    options = FollowOptions(patterns=tuple(patterns), read=read, from_end=not from_start)
    total = Round()
    stored = False
    with CheckpointStore(state_dir or (data_dir or settings.local.data_dir) / "collector") as store:
        follower = Follower(options, store, say=lambda text: click.echo(f"weir: {text}", err=True))
        if once:
            stored = _once(follower, data_dir, total)
        else:
            signal.signal(signal.SIGTERM, _interrupt)
            try:
                _go_on(follower, data_dir, total, poll_seconds, metrics_port)
            except KeyboardInterrupt:
                click.echo("stopped; the next start goes on from here", err=True)
    _show(total, as_json, stored=stored)
    return 0


def _go_on(
    follower: Follower, data_dir: Path | None, total: Round, poll_seconds: float, metrics_port: int | None
) -> None:
    """Rounds until interrupted. Where Kafka is away they are tried again, from the last checkpoint."""
    metrics = _metrics(metrics_port)
    said = ""
    while True:
        try:
            with _delivery_to(_kafka_at(data_dir)) as delivery:
                sink = KafkaSink(delivery)
                said = _say_once("", said)
                while True:
                    done = follower.round(sink, datetime.now(UTC))
                    _add(total, done)
                    if metrics is not None:
                        metrics.count(done)
                    time.sleep(poll_seconds)
        except BrokerUnavailable as error:
            said = _say_once(str(error), said)
            if metrics is not None:
                metrics.failed()
            follower.reset()
            time.sleep(_RETRY_SECONDS)


def _say_once(sentence: str, said: str) -> str:
    if sentence and sentence != said:
        click.echo(f"weir: {sentence}. Trying again; nothing is lost", err=True)
    return sentence


def _once(follower: Follower, data_dir: Path | None, total: Round) -> bool:
    """One round to Kafka; where neither a pipeline runs nor Kafka is named, through a pipeline of its own, and then
    whatever was read is stored: whether that is so."""
    place = find_place(data_dir)
    kafka_is_named = data_dir is None and "bootstrap_servers" in place.settings.kafka.model_fields_set
    if place.data_dir is None or kafka_is_named or place.data_dir.running() is not None:
        with _delivery_to(_kafka_at(data_dir)) as delivery:
            _add(total, follower.round(KafkaSink(delivery), datetime.now(UTC)))
        return False
    with way_to_ledger(place, _TOPICS) as way:
        _add(total, follower.round(KafkaSink(way.delivery), datetime.now(UTC)))
        way.wait_until_stored()
    return True


def _kafka_at(data_dir: Path | None) -> KafkaSettings:
    """Of a pipeline that runs on the data directory, else of the settings. Raises BrokerUnavailable."""
    settings = Settings()
    found = DataDir(data_dir or settings.local.data_dir).running()
    if found is not None:
        return settings.kafka.model_copy(update={"bootstrap_servers": found.kafka_bootstrap_servers})
    if data_dir is not None:
        raise BrokerUnavailable(
            f"no pipeline runs on {data_dir}",
            hint=f"Start it with `weir up --data-dir {data_dir}`, or leave --data-dir away to use the settings' Kafka",
        )
    return settings.kafka


@contextmanager
def _delivery_to(kafka: KafkaSettings) -> Iterator[Delivery]:
    check_topics(kafka, _TOPICS)
    delivery = Delivery(kafka)
    try:
        yield delivery
    finally:
        # What is unconfirmed is read again.
        delivery.close(0.0)


def _metrics(port: int | None) -> "CollectorMetrics | None":
    if port is None:
        return None
    from prometheus_client import CollectorRegistry, start_http_server

    from producers.following.metrics import CollectorMetrics

    registry = CollectorRegistry()
    try:
        start_http_server(port, "127.0.0.1", registry)
    except OSError as error:
        raise WrongCall(
            f"port {port} cannot be had: {error.strerror}", hint="Name another --metrics-port"
        ) from None
    return CollectorMetrics(registry)


def _add(total: Round, done: Round) -> None:
    for name in ("events", "input_tokens", "output_tokens", "rejections", "read_files", "read_bytes"):
        setattr(total, name, getattr(total, name) + getattr(done, name))
    total.files, total.unreadable = done.files, done.unreadable


def _show(total: Round, as_json: bool, *, stored: bool) -> None:
    if as_json:
        print_json(asdict(total))
        return
    files = f"{total.files} {'file' if total.files == 1 else 'files'}"
    click.echo(
        f"{total.events:,} events {'stored' if stored else 'sent'} from {files}: "
        f"{total.input_tokens:,} input and {total.output_tokens:,} output tokens"
    )
    if total.rejections:
        click.echo(f"{total.rejections:,} rows were refused; `weir rejected` says why", err=True)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt

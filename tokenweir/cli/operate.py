"""`weir doctor`, `gateway`, `worker`, `migrate`, `topics`: running the pieces and seeing that they are well."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from tokenweir.cli.logs import set_up_logs
from tokenweir.cli.options import data_dir_option, find_place, json_option, with_dsn
from tokenweir.cli.output import print_json, print_rows
from tokenweir.errors import WrongCall
from tokenweir.settings import ClickHouseSettings, Settings


@click.command()
@data_dir_option
@json_option
def doctor(data_dir: Path | None, as_json: bool) -> int:
    """Look at everything that can be wrong, and say what to do about it.

    Exit status 1 where something is wrong.

    \b
    Example:
      weir doctor
    """
    from tokenweir.local.checkup import check_up

    findings = check_up(find_place(data_dir).settings, find_place(data_dir).data_dir)
    if as_json:
        print_json([finding.as_row() for finding in findings])
    else:
        for finding in findings:
            mark = {
                "ok": click.style("ok  ", fg="green"),
                "note": "note",
                "wrong": click.style("BAD ", fg="red"),
            }
            click.echo(f"{mark[finding.state]}  {finding.subject}: {finding.text}")
    return 1 if any(finding.state == "wrong" for finding in findings) else 0


@click.command()
@click.option("--host", help="Address to listen on [default: the settings' gateway.host].")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on [default: gateway.port].")
def gateway(host: str | None, port: int | None) -> None:
    """Take usage events over HTTP and put them on Kafka, until interrupted.

    \b
    Example:
      TOKENWEIR_KAFKA__BOOTSTRAP_SERVERS=kafka:9092 weir gateway --port 4318
    """
    from tokenweir.local.gateway_server import serve_gateway

    settings = Settings()
    set_up_logs(settings)
    changes = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    asyncio.run(
        serve_gateway(
            settings.model_copy(update={"gateway": settings.gateway.model_copy(update=changes)}),
            say=lambda text: click.echo(text, err=True),
        )
    )


@click.command()
@click.option(
    "--role",
    type=click.Choice(["meter", "sink", "detect", "notify"]),
    required=True,
    help="meter: check, price, forward. sink: write the ledger. detect: make signals of the minutes. "
    "notify: tell people of signals.",
)
def worker(role: str) -> None:
    """Run one stream worker against the settings' Kafka, until interrupted. Start as many as you like,
    but of notify only one: it remembers what it told in a folder of its own.

    \b
    Example:
      weir worker --role meter
    """
    from tokenweir.local.worker import serve_worker

    settings = Settings()
    set_up_logs(settings)
    if role == "sink":
        _server_of(settings)
    serve_worker(settings, role, say=lambda text: click.echo(text, err=True))


@click.command(name="migrate")
@data_dir_option
@json_option
def migrate(data_dir: Path | None, as_json: bool) -> None:
    """Bring the ledger's tables up to date, and fill those of prices, models and budgets. Safe to repeat.

    \b
    Example:
      TOKENWEIR_CLICKHOUSE__DSN=clickhouse://weir:secret@clickhouse:8123 weir migrate
    """
    from sinks.clickhouse.client import connect
    from sinks.clickhouse.migrate import migrate as apply_migrations
    from tokenweir.local.budget_tables import fill_budgets
    from tokenweir.local.price_tables import fill_price_tables

    place = find_place(data_dir)
    clickhouse, pricing = place.settings.clickhouse, place.settings.pricing
    with ExitStack() as stack:
        if place.data_dir is not None:
            stack.enter_context(place.data_dir.locked())
            clickhouse = with_dsn(clickhouse, f"chdb://{place.data_dir.ledger}")
        client = stack.enter_context(connect(clickhouse))
        applied = apply_migrations(client, clickhouse)
        filled = fill_price_tables(client, pricing.overlay, place.recorded_prices, pricing.cache_dir)
        budgets = fill_budgets(client, place.settings.detection.budgets, datetime.now(UTC))
    if as_json:
        print_json({"applied": applied, "prices": filled.prices, "models": filled.models, "budgets": budgets})
        return
    for name in applied:
        click.echo(f"applied {name}")
    if any(filled):
        click.echo(f"added {filled.prices:,} prices and {filled.models:,} models")
    if budgets:
        click.echo(f"added, changed or took out {budgets:,} budgets")
    elif not applied and not any(filled):
        click.echo("the ledger is up to date")


@click.group()
def topics() -> None:
    """The Kafka topics of Tokenweir.

    \b
    Example:
      weir topics create
    """


@topics.command(name="create")
@json_option
def create_topics(as_json: bool) -> None:
    """Create the topics that are missing; leave the others as they are.

    \b
    Example:
      TOKENWEIR_KAFKA__BOOTSTRAP_SERVERS=kafka:9092 weir topics create
    """
    from streams.topic_admin import ensure_topics

    _print_topics(ensure_topics(Settings().kafka), as_json)


@topics.command(name="list")
@json_option
def list_topics(as_json: bool) -> None:
    """Show every topic, as Kafka has it.

    \b
    Example:
      weir topics list --json
    """
    from streams.topic_admin import describe_topics

    _print_topics(describe_topics(Settings().kafka), as_json)


def _print_topics(reports: Sequence[Any], as_json: bool) -> None:
    rows = [asdict(report) for report in reports]
    columns = ["name", "carries", "partitions", "replication_factor", "created", "differences"]
    print_rows(rows, columns, "json" if as_json else "table", empty="no topics")


def _server_of(settings: Settings) -> ClickHouseSettings:
    """The settings' ClickHouse, where one is named."""
    if not settings.clickhouse.dsn.get_secret_value():
        raise WrongCall(
            "no ClickHouse is named",
            hint="Set TOKENWEIR_CLICKHOUSE__DSN to clickhouse://user:password@host:8123",
        )
    return settings.clickhouse

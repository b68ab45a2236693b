"""`weir page`: the dashboards over a ledger that is there already."""

from pathlib import Path

import click

from tokenweir.cli.logs import set_up_logs
from tokenweir.cli.options import data_dir_option, find_place, require_ledger, with_dsn


@click.command()
@data_dir_option
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port of the page [default: 8765, or a free one]."
)
def page(data_dir: Path | None, port: int | None) -> None:
    """Serve the dashboards over the settings' ClickHouse or an embedded ledger, until interrupted.

    It only reads. A user of ClickHouse that may do no more than read is enough. Where a pipeline runs on the data
    directory, it serves the page already, and this says where.

    \b
    Examples:
      weir page --data-dir ./ledger
      TOKENWEIR_CLICKHOUSE__DSN=clickhouse://reader:secret@clickhouse:8123 weir page --port 8080
    """
    from tokenweir.local.page_server import serve_directory, serve_server

    place = find_place(data_dir)
    settings = place.settings
    set_up_logs(settings)

    def say(text: str) -> None:
        click.echo(text, err=True)

    host = settings.local.host
    ports = (port,) if port is not None else (settings.local.port, 0)
    if place.data_dir is None:
        serve_server(settings.clickhouse, host=host, ports=ports, say=say)
        return
    running = place.data_dir.running()
    if running is not None:
        say(f"a pipeline runs there already; its page is at {running.page_url}")
        return
    require_ledger(place)
    embedded = with_dsn(settings.clickhouse, f"chdb://{place.data_dir.ledger}")
    serve_directory(place.data_dir, embedded, host=host, ports=ports, say=say)

"""`weir report`: the boards as one HTML file that can be mailed."""

import asyncio
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from dashboards.panels.variables import GROUPS
from tokenweir import __version__
from tokenweir.cli.moments import parse_moment
from tokenweir.cli.options import data_dir_option, find_place, open_ledger, parse_conditions, where_option
from tokenweir.errors import TokenweirError, WrongCall

_AT_ONCE: Final = 3
_GROUPS: Final = click.Choice(list(GROUPS))


@click.command()
@click.option(
    "--period",
    "named",
    metavar="PERIOD",
    help="2026-10, 2026-Q4, 2026-W41, 2026-10-05, 2026, last-month, this-quarter…, 7d, 30d [default: last-month].",
)
@click.option("--since", help="From this time on, in place of --period: 2026-10-01, 7d…")
@click.option("--until", help="Up to, not including, this time [default: now].")
@click.option(
    "--board",
    "boards",
    multiple=True,
    metavar="NAME",
    help="This board; repeat for more [default: fleet, spend, budgets, migrations, prices].",
)
@click.option("--by", type=_GROUPS, default="team", show_default=True, help="What charts are grouped by.")
@click.option("--then-by", type=_GROUPS, default="model", show_default=True, help="And then by.")
@where_option
@click.option("--title", default="Usage and spend", show_default=True, help="What stands at the top.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    required=True,
    help="The file; - for standard output.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@data_dir_option
def report(
    named: str | None,
    since: str | None,
    until: str | None,
    boards: tuple[str, ...],
    by: str,
    then_by: str,
    where: tuple[str, ...],
    title: str,
    output: Path,
    force: bool,
    data_dir: Path | None,
) -> None:
    """The boards as one HTML file with every figure and chart in it, to be mailed, kept or printed.

    The file loads nothing and reads without scripts. Days and times are UTC. A calendar's period is compared with the
    one before; one that is not over goes up to now, and says so. It only reads.

    \b
    Examples:
      weir report --period 2026-10 -o october.html
      weir report --period last-month --where team=search --by model -o search.html
      weir report --since 2026-10-01 --until 2026-10-15 --board spend -o - > half.html
    """
    from dashboards.report import USUAL_BOARDS, Wanted, document, gather, named_period, period_from
    from tokenweir.local.page_server import server_query

    now = datetime.now(UTC)
    if named is not None and (since or until):
        raise WrongCall("--period and --since or --until name two periods", hint="Give one of them")
    if until and not since:
        raise WrongCall("--until needs --since", hint="Say where the period begins")
    if since:
        period = period_from(parse_moment(since, now) or now, parse_moment(until, now) or now, now)
    else:
        period = named_period(named or "last-month", now)
    to_stdout = str(output) == "-"
    if not to_stdout and output.exists() and not force:
        raise WrongCall(f"{output} is there already", hint="Name another file, or write over it with --force")
    if not to_stdout and not output.parent.is_dir():
        raise WrongCall(f"there is no folder {output.parent}", hint="Make it, or name a file elsewhere")
    wanted = Wanted(period, now, boards or USUAL_BOARDS, parse_conditions(where), by, then_by, title)
    with (
        open_ledger(find_place(data_dir)) as client,
        ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="report-query") as threads,
    ):
        content = asyncio.run(gather(wanted, server_query(client, threads), database=client.database))
    whole = document(content, version=__version__).encode("utf-8", "replace")
    if to_stdout:
        sys.stdout.buffer.write(whole)
        sys.stdout.flush()
        return
    _write(output, whole)
    click.echo(f"{output}: {period.words}, {len(whole) / 1e6:.1f} MB", err=True)


def _write(path: Path, whole: bytes) -> None:
    """The whole file or none of it. Raises TokenweirError where it cannot be written."""
    try:
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(whole)
            Path(beside).chmod(0o644)
            Path(beside).replace(path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
    except OSError as failure:
        raise TokenweirError(
            f"the report could not be written to {path}: {failure.strerror}",
            hint="Name a file in a folder that can be written",
        ) from failure

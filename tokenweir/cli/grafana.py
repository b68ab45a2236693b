"""`weir grafana`: dashboards and alert rules to a Grafana, and what is there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tokenweir.cli.options import json_option
from tokenweir.cli.output import print_json, print_rows
from tokenweir.settings import Settings

if TYPE_CHECKING:
    from dashboards.grafana.client import Grafana
    from dashboards.grafana.resources import Resource


@click.group()
def grafana() -> None:
    """Dashboards and alert rules in a Grafana of yours. Its address and token are settings.

    \b
    Example:
      TOKENWEIR_GRAFANA__TOKEN=glsa_… weir grafana push --dry-run
    """


@grafana.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--force", is_flag=True, help="Overwrite what somebody changed in Grafana, too.")
@json_option
def push(dry_run: bool, force: bool, as_json: bool) -> None:
    """Bring dashboards and alert rules to Grafana. Safe to repeat; deletes nothing.

    \b
    Example:
      weir grafana push
    """
    with _ready() as (there, wanted):
        from dashboards.grafana.push import plan
        from dashboards.grafana.push import push as push_all

        changes = plan(there, wanted)
        if not dry_run:
            push_all(there, changes, force=force)
    rows = [change.as_row() for change in changes]
    columns = ["action", "what", "name", "somebodys"] if dry_run else ["action", "what", "name"]
    print_rows(rows, columns, "json" if as_json else "table", empty="nothing to do")


@grafana.command()
@json_option
def diff(as_json: bool) -> int:
    """Show how Grafana differs from what would be pushed. Exit status 1 where it does.

    \b
    Example:
      weir grafana diff
    """
    with _ready() as (there, wanted):
        from dashboards.grafana.push import plan

        changes = plan(there, wanted)
    if as_json:
        print_json([{**change.as_row(), "lines": change.lines} for change in changes])
    elif not changes:
        click.echo("no difference")
    for change in [] if as_json else changes:
        state = "is missing" if change.action == "create" else change.somebodys or "differs"
        click.secho(f"{change.resource.kind} {change.resource.name} {state}", bold=True)
        for line in change.lines if change.action == "update" else ():
            click.secho(f"  {line}", fg="red" if line.startswith("-") else "green")
    return 1 if changes else 0


@grafana.command()
def check() -> int:
    """Have Grafana ask every query of the dashboards and alert rules, and say which of them it cannot.

    \b
    Example:
      weir grafana check
    """
    asked = failed = 0
    with _ready() as (there, _):
        from dashboards.grafana.check import check_queries

        for query in check_queries(there, database=Settings().clickhouse.database):
            asked += 1
            if query.failure:
                failed += 1
                click.echo(f"{query.name}: {query.failure}")
    click.echo(f"{asked - failed} of {asked} queries were answered")
    return 1 if failed else 0


@grafana.command()
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("grafana"),
    show_default=True,
    help="The folder for the files.",
)
def pull(to: Path) -> None:
    """Write what is in Grafana of ours to files, a file each.

    \b
    Example:
      weir grafana pull --to kept
    """
    with _ready() as (there, wanted):
        from dashboards.grafana.push import pull as pull_all

        written = pull_all(there, wanted, to)
    for path in written:
        click.echo(str(path))
    if not written:
        click.echo("Grafana has nothing of ours")


@contextmanager
def _ready() -> "Iterator[tuple[Grafana, list[Resource]]]":
    """The Grafana of the settings, found fit, and everything of ours."""
    try:
        from dashboards.grafana.client import Grafana
        from dashboards.grafana.push import resources
    except ModuleNotFoundError as error:
        if error.name not in ("grafana_client", "niquests"):
            raise
        raise click.ClickException(
            f"`weir grafana` needs the package {error.name}; install tokenweir[grafana]"
        ) from error

    settings = Settings()
    with Grafana(settings.grafana) as there:
        there.check()
        yield there, resources(settings.grafana, settings.clickhouse)

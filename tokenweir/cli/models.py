"""`weir models`: which models there are, their states, and what replaces one, by when."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from pathlib import Path

import click

from tokenweir.catalog import STATES, Catalog, Found, Model
from tokenweir.cli.model_answers import COLUMNS, FACTS, Asking, plain
from tokenweir.cli.moments import parse_moment
from tokenweir.cli.options import json_option
from tokenweir.cli.output import print_json, print_rows
from tokenweir.errors import WrongCall


@click.command()
@click.argument("name", required=False)
@click.option("--vendor", help="Only this vendor's.")
@click.option(
    "--retiring-before", metavar="DATE", help="Those that retire from --on up to, not including, this day."
)
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--on", metavar="DATE", help="The day that states and days left are for [default: today, UTC].")
@click.option(
    "--known-at", metavar="DATE", help="Use only what the catalog knew then [default: all that it knows]."
)
@click.option(
    "--replaces", metavar="MODEL", help="What replaces this model, by when: one line for each vendor."
)
@click.option(
    "--catalog",
    "own_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file of your own, over the built-in catalog.",
)
@json_option
def models(
    name: str | None,
    vendor: str | None,
    retiring_before: str | None,
    state: str | None,
    on: str | None,
    known_at: str | None,
    replaces: str | None,
    own_file: Path | None,
    as_json: bool,
) -> None:
    """Models: their states, lengths and abilities, and what replaces one, by when.

    NAME is a model, another name of one, a family, or a pattern with stars. A state is what the sources say for the
    day; `seen_on` is the last day on which one was seen.

    \b
    Examples:
      weir models gpt-5
      weir models --replaces claude-sonnet-4-5
      weir models --vendor google --retiring-before 2027-01-01
    """
    now = datetime.now(UTC)
    moment = parse_moment(on, now) or now
    catalog = Catalog.default(own_file)
    if vendor is not None and vendor not in catalog.vendors:
        raise WrongCall(
            f"the catalog has no vendor {vendor}", hint="The vendors are " + ", ".join(catalog.vendors)
        )
    asking = Asking(catalog, vendor, moment, parse_moment(known_at, now))
    if replaces is not None:
        if name is not None or state is not None or retiring_before is not None:
            raise WrongCall(
                "--replaces asks about one model", hint="Leave NAME, --state and --retiring-before out"
            )
        _show_replacements(asking, asking.named(replaces), as_json)
        return
    if name is not None and "*" not in name and state is None and retiring_before is None:
        found = asking.search(name)
        if found:
            _show_models(asking, found, as_json)
            return
    listed = _listed(asking, name, state, _day(retiring_before, now))
    if as_json:
        print_json([asking.fields(model) for model in listed])
    else:
        print_rows([asking.row(model) for model in listed], COLUMNS, "table", empty="No such models.")


def _listed(asking: Asking, name: str | None, state: str | None, before: date | None) -> list[Model]:
    """The models that all of the conditions leave, the first to retire first where that is asked for."""
    kept = asking.all()
    if name is not None:
        pattern = name.lower()
        if "*" in pattern:
            kept = [model for model in kept if any(fnmatchcase(n.lower(), pattern) for n in _names(model))]
        else:
            hits = [found.model for found in asking.search(name)]
            kept = [model for model in kept if model.family == pattern or model in hits]
            if not kept:
                raise asking.unknown(name)
    if before is not None:
        going = asking.catalog.retiring(asking.on, before, vendor=asking.vendor, known_at=asking.known_at)
        kept = [model for model in going if model in kept]
    return [model for model in kept if state is None or model.state_on(asking.on) == state]


def _show_models(asking: Asking, found: Sequence[Found], as_json: bool) -> None:
    if as_json:
        print_json([asking.fields(hit.model) | {"found_by": hit.how} for hit in found])
        return
    for number, hit in enumerate(found):
        model = hit.model
        if number:
            click.echo()
        if hit.how == "dated":
            click.echo(f"No row has that date; this is {model.model}, which may end on another day.")
        click.echo(asking.sentence(model))
        for name in ("state", *FACTS):
            value = model.state_on(asking.on) if name == "state" else plain(getattr(model, name))
            if value not in (None, "", []):
                shown = ", ".join(map(str, value)) if isinstance(value, list) else value
                click.echo(f"  {name:<20} {shown:,}" if isinstance(shown, int) else f"  {name:<20} {shown}")
        for source in sorted(set(map(str, model.sources.values()))):
            click.echo(f"  {'source':<20} {source}")


def _show_replacements(asking: Asking, found: Sequence[Found], as_json: bool) -> None:
    if as_json:
        print_json([asking.replacement_fields(hit.model) for hit in found])
    else:
        for hit in found:
            click.echo(asking.sentence(hit.model))


def _names(model: Model) -> tuple[str, ...]:
    return (model.model, *model.aliases)


def _day(text: str | None, now: datetime) -> date | None:
    moment = parse_moment(text, now)
    return moment.date() if moment is not None else None

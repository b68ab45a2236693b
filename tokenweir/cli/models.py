"""`weir models`: which models there are, their states, and what replaces one, by when."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tokenweir.catalog import STATES, Catalog, Found, Model, Replacement
from tokenweir.cli.moments import parse_moment
from tokenweir.cli.options import json_option
from tokenweir.cli.output import print_json, print_rows
from tokenweir.errors import WrongCall
from tokenweir.money import decimal_string
from tokenweir.settings import Settings

if TYPE_CHECKING:
    from tokenweir.pricing import PriceBook

_COLUMNS: Final = (
    "vendor",
    "model",
    "state",
    "released_on",
    "deprecated_on",
    "retires_on",
    "successors",
    "longest_input_tokens",
    "max_output_tokens",
    "seen_on",
)
_FACTS: Final = (
    "family",
    "platform",
    "aliases",
    "context_tokens",
    "max_input_tokens",
    "max_output_tokens",
    "operations",
    "input",
    "output",
    "can",
    "cannot",
    "released_on",
    "deprecated_on",
    "retires_on",
    "retires_not_before",
)


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
    asking = _Asking(catalog, vendor, moment, parse_moment(known_at, now))
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
        print_rows([asking.row(model) for model in listed], _COLUMNS, "table", empty="No such models.")


class _Asking:
    """What is asked of the catalog: of which vendor, for which day, by what was known when."""

    def __init__(
        self, catalog: Catalog, vendor: str | None, moment: datetime, known_at: datetime | None
    ) -> None:
        self.catalog = catalog
        self.vendor = vendor
        self.moment = moment
        self.on = moment.date()
        self.known_at = known_at
        self._book: PriceBook | None = None

    def search(self, name: str) -> list[Found]:
        """The models that `name` means, of each vendor that has it; `vendor/name` names the vendor, too."""
        vendors: Sequence[str] = self.catalog.vendors if self.vendor is None else (self.vendor,)
        found = [hit for each in vendors for hit in self._in_vendor(each, name)]
        front, slash, rest = name.partition("/")
        if not found and slash and self.vendor is None and front in self.catalog.vendors:
            found = self._in_vendor(front, rest)
        exact = [hit for hit in found if hit.how != "dated"]
        return exact or found

    def named(self, name: str) -> list[Found]:
        """As `search`. Raises WrongCall, with the nearest names, where there is none."""
        found = self.search(name)
        if not found:
            raise self.unknown(name)
        return found

    def unknown(self, name: str) -> WrongCall:
        """The error for a name that means nothing."""
        nearest = self.catalog.nearest(name, self.vendor)
        if any(written.lower() == name.lower() for _, written in nearest):
            return WrongCall(
                f"which model {name} means on {self.on} is not known",
                hint="It meant one on other days: name one with --on",
            )
        near = [f"{model} ({vendor})" for vendor, model in nearest]
        whose = f" of {self.vendor}" if self.vendor else ""
        return WrongCall(
            f"the catalog has no model {name}{whose}",
            hint="The nearest names are " + ", ".join(near) if near else "`weir models` lists all of them",
        )

    def all(self) -> list[Model]:
        """Every model of the vendor asked for."""
        return list(self.catalog.models(self.vendor, known_at=self.known_at))

    def row(self, model: Model) -> dict[str, Any]:
        """A line of the table."""
        row: dict[str, Any] = {column: getattr(model, column, None) for column in _COLUMNS}
        where = f" ({model.platform})" if model.platform else ""
        return row | {
            "model": model.model + where,
            "state": model.state_on(self.on),
            "successors": ", ".join(successor.model for successor in model.successors) or None,
        }

    def fields(self, model: Model) -> dict[str, Any]:
        """Everything that is known of a model, for a program; what no source says is null or empty."""
        return {
            "vendor": model.vendor,
            "model": model.model,
            "state": model.state_on(self.on),
            **{name: _plain(getattr(model, name)) for name in _FACTS},
            "days_left": self._days_left(model),
            "successors": [
                {"vendor": s.vendor, "model": s.model, "recommended": s.recommended} for s in model.successors
            ],
            "recorded_at": model.recorded_at,
            "sources": {
                "state" if name == "stated" else name: {
                    "page": source.page,
                    "seen_on": source.seen_on.isoformat(),
                    "via": source.via,
                }
                for name, source in sorted(model.sources.items())
            },
        }

    def replacements(self, model: Model) -> tuple[Replacement, ...]:
        """What replaces it on the day asked for."""
        return self.catalog.successors(
            model.vendor, model.model, on=self.on, platform=model.platform, known_at=self.known_at
        )

    def sentence(self, model: Model) -> str:
        """Who goes, when, and what replaces it, at which price."""
        names = [
            self._priced(each.successor.vendor, each.successor.model, model.vendor)
            for each in self.replacements(model)
        ]
        instead = f"use {' or '.join(names)} instead" if names else "its vendor names no successor"
        return f"{self._priced(model.vendor, model.model, '')}{_at(model)} {self._fate(model)}; {instead}."

    def replacement_fields(self, model: Model) -> dict[str, Any]:
        """The sentence's parts, for a program."""
        return {
            "vendor": model.vendor,
            "model": model.model,
            "platform": model.platform,
            "state": model.state_on(self.on),
            "retires_on": _plain(model.retires_on),
            "retires_not_before": _plain(model.retires_not_before),
            "days_left": self._days_left(model),
            "list_price": self.list_price(model.vendor, model.model),
            "successors": [
                {
                    "vendor": each.successor.vendor,
                    "model": each.successor.model,
                    "recommended": each.successor.recommended,
                    "state": each.state,
                    "retires_on": _plain(each.model.retires_on) if each.model is not None else None,
                    "through": list(each.through),
                    "list_price": self.list_price(each.successor.vendor, each.successor.model),
                }
                for each in self.replacements(model)
            ],
        }

    def list_price(self, vendor: str, model: str) -> dict[str, str] | None:
        """Price per million tokens of input and output by the price book; None where it has none."""
        if self._book is None:
            if find_spec("genai_prices") is None:
                return None
            from tokenweir.pricing import PriceBook

            self._book = PriceBook.default(Settings().pricing.overlay)
        price = self._book.lookup(vendor, model, self.moment, known_at=self.known_at)
        if price is None or not price.cards:
            return None
        rates = {name: rate for name, rate in price.cards[0].rates if name in ("input", "output")}
        if not rates:
            return None
        return {
            "currency": price.currency,
            **{name: decimal_string(rate.picos) for name, rate in rates.items()},
        }

    def _in_vendor(self, vendor: str, name: str) -> list[Found]:
        found = self.catalog.find(vendor, name, on=self.on, known_at=self.known_at)
        if found is None:
            return []
        elsewhere = [
            model
            for model in self.catalog.models(vendor, known_at=self.known_at)
            if model.model == found.model.model and model.platform != found.model.platform
        ]
        return [found, *(Found(model, found.how) for model in elsewhere)]

    def _days_left(self, model: Model) -> int | None:
        return (model.retires_on - self.on).days if model.retires_on is not None else None

    def _priced(self, vendor: str, model: str, beside: str) -> str:
        name = model if vendor == beside else f"{vendor} {model}"
        price = self.list_price(vendor, model)
        if price is None:
            return name
        sign = "$" if price["currency"] == "USD" else price["currency"] + " "
        parts = [f"{part} {sign}{price[part]}" for part in ("input", "output") if part in price]
        return f"{name} ({', '.join(parts)} a million tokens)"

    def _fate(self, model: Model) -> str:
        days = self._days_left(model)
        if days is not None and model.retires_on is not None:
            if days > 0:
                return f"retires on {model.retires_on}, in {days} day{'' if days == 1 else 's'}"
            if days == 0:
                return f"retires today, {model.retires_on}"
            return f"retired on {model.retires_on}, {-days} day{'' if days == -1 else 's'} ago"
        state = model.state_on(self.on)
        if model.retires_not_before is not None:
            return f"is {state} and retires on {model.retires_not_before} at the earliest"
        if state == "unknown":
            return "has no state that a source tells for this day"
        return f"is {state}; " + ("no day was announced" if state != "retired" else "the day is not known")


def _listed(asking: _Asking, name: str | None, state: str | None, before: date | None) -> list[Model]:
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


def _show_models(asking: _Asking, found: Sequence[Found], as_json: bool) -> None:
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
        for name in ("state", *_FACTS):
            value = model.state_on(asking.on) if name == "state" else _plain(getattr(model, name))
            if value not in (None, "", []):
                shown = ", ".join(map(str, value)) if isinstance(value, list) else value
                click.echo(f"  {name:<20} {shown:,}" if isinstance(shown, int) else f"  {name:<20} {shown}")
        for source in sorted(set(map(str, model.sources.values()))):
            click.echo(f"  {'source':<20} {source}")


def _show_replacements(asking: _Asking, found: Sequence[Found], as_json: bool) -> None:
    if as_json:
        print_json([asking.replacement_fields(hit.model) for hit in found])
    else:
        for hit in found:
            click.echo(asking.sentence(hit.model))


def _names(model: Model) -> tuple[str, ...]:
    return (model.model, *model.aliases)


def _at(model: Model) -> str:
    return f" on {model.platform}" if model.platform else ""


def _day(text: str | None, now: datetime) -> date | None:
    moment = parse_moment(text, now)
    return moment.date() if moment is not None else None


def _plain(value: object) -> Any:
    """A value as JSON can hold it: dates as text, tuples as lists."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)
    return value

"""`weir whatif`: what the ledger's calls would cost on other models, and which of them could not move there."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

import click

from sinks.clickhouse import queries
from sinks.clickhouse.calls import read_calls
from sinks.clickhouse.conditions import DIMENSIONS, check_names
from tokenweir.catalog import Catalog
from tokenweir.cli.moments import parse_moment
from tokenweir.cli.options import find_place, ledger_options, open_ledger, parse_conditions, where_option
from tokenweir.cli.whatif_answer import print_answer
from tokenweir.errors import WrongCall
from tokenweir.pricing import PriceBook
from tokenweir.usage.event import WORKLOAD_FIELDS
from tokenweir.whatif import COLUMNS, Candidate, Names, Period, WhatIf, matching_models

_BILLED: Final = "billed"
_TOKENS_FACTORS: Final = (Decimal("0.01"), Decimal(100))


@click.command()
@click.option(
    "--from",
    "sources",
    multiple=True,
    metavar="MODEL",
    help="Only calls of this model; stars do, repeat for more [default: all calls].",
)
@click.option(
    "--to", "targets", multiple=True, required=True, metavar="MODEL", help="A candidate; repeat for more."
)
@click.option("--since", help="Calls from this time on: 2026-11-01, today, 7d…")
@click.option("--until", help="Up to, not including, this time.")
@where_option
@click.option(
    "--by", default=",".join(WORKLOAD_FIELDS), show_default=True, help="What a workload is, comma-separated."
)
@click.option(
    "--at",
    default="now",
    show_default=True,
    metavar="TIME",
    help="The time whose prices hold; `billed` for each call's own.",
)
@click.option(
    "--tokens-factor",
    "factors",
    multiple=True,
    metavar="MODEL=FACTOR",
    help="How many tokens of this candidate's tokenizer make one of the call's [default: 1].",
)
@click.option("--region", help="Where candidates would be called [default: each call's own region].")
@click.option(
    "--tier-fallback",
    type=click.Choice(["standard"]),
    help="Price calls in this tier where the candidate does not offer theirs.",
)
@click.option(
    "--prices",
    "overlay",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A price file of your own, over the built-in book [default: the settings'].",
)
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True
)
@ledger_options
def whatif(
    sources: tuple[str, ...],
    targets: tuple[str, ...],
    since: str | None,
    until: str | None,
    where: tuple[str, ...],
    by: str,
    at: str,
    factors: tuple[str, ...],
    region: str | None,
    tier_fallback: str | None,
    overlay: Path | None,
    form: str,
    as_json: bool,
    data_dir: Path | None,
) -> None:
    """What the same calls would cost on other models, call by call, and what could not carry over.

    A model is `vendor/model`, or a bare name that only one vendor has. Calls that a candidate cannot take or has no
    price for are left out of both sides and listed with the reason, never counted as $0.

    \b
    Examples:
      weir whatif --from openai/gpt-4o --to openai/gpt-5-mini --to anthropic/claude-haiku-4-5 --since 30d
      weir whatif --from 'openai/*' --to azure/gpt-5-mini --where team=search --tier-fallback standard
    """
    now = datetime.now(UTC)
    first, end = parse_moment(since, now), parse_moment(until, now)
    moment = None if at == _BILLED else parse_moment(at, now)
    dimensions = _names(by)
    check_names(dimensions, DIMENSIONS)
    conditions = parse_conditions(where)
    place = find_place(data_dir)
    pricing = place.settings.pricing
    book = PriceBook.default(overlay or pricing.overlay, place.recorded_prices, cache_dir=pricing.cache_dir)
    candidates = _candidates(Names(book, Catalog.default()), targets, factors, region, (moment or now).date())
    with open_ledger(place) as client:
        models = None
        if sources:
            rows = queries.spend(client, by=["vendor", "model"], since=first, until=end, where=conditions)
            models = matching_models(sources, ((row["vendor"], row["model"]) for row in rows))
            conditions["vendor"] = sorted({vendor for vendor, _ in models})
            conditions["model"] = sorted({model for _, model in models})
        question = WhatIf(
            book,
            candidates,
            at=moment,
            by=dimensions,
            models=models,
            standard_instead=tier_fallback is not None,
        )
        columns = (*COLUMNS, *dimensions)
        for page in read_calls(client, since=first, until=end, where=conditions, columns=columns):
            question.add(page.columns)
    answer = question.answer(Period(first, end, now))
    asked: Mapping[str, Any] = {
        "from": sorted(f"{vendor}/{model}" for vendor, model in models) if models is not None else None,
        "where": parse_conditions(where),
        "by": dimensions,
        "tier_fallback": tier_fallback,
        "region": region,
    }
    print_answer(answer, asked, "json" if as_json else form)


def _candidates(
    names: Names, targets: Sequence[str], factors: Sequence[str], region: str | None, on: date
) -> list[Candidate]:
    """The models of --to, each once. Raises WrongCall."""
    found = {}
    for target in (name for listed in targets for name in _names(listed)):
        candidate = names.candidate(target, on)
        found[candidate.name] = candidate
    if not found:
        raise WrongCall("--to names no candidate", hint="Write a model, as in --to openai/gpt-5-mini")
    stated: dict[str, Decimal] = {}
    for text in factors:
        name, equals, number = text.rpartition("=")
        if not equals:
            raise WrongCall(f"--tokens-factor {text!r} is not of the form MODEL=FACTOR")
        target = names.candidate(name, on).name
        if target not in found:
            raise WrongCall(
                f"--tokens-factor names {target}, which is no candidate",
                hint=f"The candidates are {', '.join(found)}",
            )
        stated[target] = _factor(number)
    return [
        Candidate(each.vendor, each.model, each.found, stated.get(each.name, Decimal(1)), region)
        for each in found.values()
    ]


def _factor(text: str) -> Decimal:
    least, most = _TOKENS_FACTORS
    try:
        factor = Decimal(text)
        if least <= factor <= most:
            return factor
    except InvalidOperation:
        pass
    raise WrongCall(
        f"{text!r} is no factor of token counts", hint=f"Write a decimal from {least} to {most}, such as 1.15"
    )


def _names(text: str) -> list[str]:
    """The names of a comma-separated list."""
    return [name.strip() for name in text.split(",") if name.strip()]

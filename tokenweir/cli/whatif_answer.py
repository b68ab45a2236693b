"""How an answer of `weir whatif` reaches a person or a program."""

from collections.abc import Mapping
from typing import Any, Final

import click

from tokenweir.cli.output import print_json, print_rows
from tokenweir.whatif import Answer
from tokenweir.whatif.answer import left_out_rows, usd

_FIGURES: Final = (
    "calls",
    "left_out_calls",
    "billed_usd",
    "same_prices_usd",
    "cost_usd",
    "list_cost_usd",
    "savings_usd",
    "savings_percent",
    "savings_usd_per_day",
)
_LEFT_OUT: Final = ("to", "reason", "detail", "calls", "billed_usd")


def print_answer(answer: Answer, asked: Mapping[str, Any], form: str) -> None:
    """Print it as `table`, `json` or `csv`. asked: what else of the question a program wants to see again.

    CSV has a line for each workload and candidate, which add up to the totals that the other forms show.
    """
    if form == "json":
        print_json(dict(asked) | answer.fields())
    elif form == "csv":
        print_rows(_workload_rows(answer), ["to", *answer.by, *_FIGURES], "csv", empty="")
    elif not answer.traffic.calls:
        click.echo("no such calls in that time")
    else:
        _print_tables(answer)


def _print_tables(answer: Answer) -> None:
    click.echo(_sentence(answer) + "\n")
    totals = [{"to": choice.candidate.name, **answer.figures(choice.total)} for choice in answer.choices]
    print_rows(totals, ["to", *_FIGURES], "table", empty="")
    if answer.by:
        named = [
            name for number, name in enumerate(answer.by) if any(key[number] for key in answer.workloads)
        ]
        click.echo("\nBy workload")
        print_rows(_workload_rows(answer), [*named, "to", *_FIGURES], "table", empty="")
    left_out = [
        {"to": choice.candidate.name, **row}
        for choice in answer.choices
        for row in left_out_rows(choice.total)
    ]
    if left_out:
        click.echo("\nCannot carry over")
        print_rows(left_out, _LEFT_OUT, "table", empty="")
    click.echo()
    for choice in answer.choices:
        click.echo(click.style(choice.candidate.name, bold=True))
        for note in choice.notes:
            click.echo(f"  - {note}")


def _sentence(answer: Answer) -> str:
    span, traffic = answer.span, answer.traffic
    at = f"{answer.at:%Y-%m-%d %H:%M} UTC" if answer.at is not None else "each call's own time"
    billed = usd(traffic.billed_picos, traffic.billed_calls)
    cost = f"billed ${billed:,.2f}" if billed is not None else "without a cost as billed"
    if billed is not None and traffic.billed_calls < traffic.calls:
        cost += f" for {traffic.billed_calls:,} of them"
    return (
        f"{traffic.calls:,} calls from {span.starts_at:%Y-%m-%d %H:%M} to {span.ends_at:%Y-%m-%d %H:%M} UTC, "
        f"{cost}, at the prices of {at}"
    )


def _workload_rows(answer: Answer) -> list[dict[str, Any]]:
    """A row for each workload and candidate: the dearest workload first, its candidates the cheapest first."""
    ranked = {choice.candidate.name: dict(answer.ranked(choice)) for choice in answer.choices}
    order = [workload for workload, _ in answer.ranked(answer.choices[0])]
    return [
        dict(zip(answer.by, workload, strict=True)) | {"to": name} | answer.figures(tallies[workload])
        for workload in order
        for name, tallies in ranked.items()
    ]

"""`weir reconcile`: vendors' bills beside the ledger."""

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from sinks.reconciliation import Reconciliation
from sinks.reconciliation import reconcile as compare
from sinks.reconciliation.findings import Finding
from sinks.reconciliation.query import fetch_facts
from sinks.reconciliation.reconcile import check_dimensions
from tokenweir.cli.moments import parse_moment
from tokenweir.cli.options import find_place, ledger_options, open_ledger
from tokenweir.cli.output import print_json, print_rows

_DRIFT = ["billed_tokens", "metered_tokens", "tokens_drift", "billed_usd", "metered_usd", "cost_drift_usd"]


@click.command()
@click.option("--vendor", default="", help="Only this vendor.")
@click.option("--tenant", default="", help="Only this tenant.")
@click.option("--since", help="From this day on, as the vendor counts days [default: 30d].")
@click.option("--until", help="Up to, not including, this day [default: tomorrow].")
@click.option(
    "--by", default="model", show_default=True, help="Drift by day, model, api_key; comma-separated."
)
@click.option(
    "--tolerance",
    default=0.5,
    show_default=True,
    type=click.FloatRange(0, 50),
    metavar="PERCENT",
    help="Sums that differ by less agree.",
)
@ledger_options
def reconcile(
    vendor: str,
    tenant: str,
    since: str | None,
    until: str | None,
    by: str,
    tolerance: float,
    as_json: bool,
    data_dir: Path | None,
) -> None:
    """Set vendors' bills beside the ledger: coverage, drift, what is missing on which side, and the likely reason.

    Coverage is the share of what is billed that the ledger knows. A drift is what the ledger has more than the bill.

    \b
    Example:
      weir reconcile --vendor openai --since 2026-11-01 --by day,model
    """
    now = datetime.now(UTC)
    first = _day(since, now) or (now - timedelta(days=30)).date()
    end = _day(until, now) or (now + timedelta(days=1)).date()
    dimensions = [name.strip() for name in by.split(",") if name.strip()]
    check_dimensions(dimensions)
    with open_ledger(find_place(data_dir)) as client:
        facts = fetch_facts(client, vendor=vendor, tenant=tenant, since=first, until=end)
    outcomes = [
        compare(one, today=now.date(), by=dimensions, tolerance=Decimal(str(tolerance)) / 100)
        for one in facts
    ]
    if as_json:
        print_json(
            {
                "since": first.isoformat(),
                "until": end.isoformat(),
                "vendors": [_plain(asdict(o)) for o in outcomes],
            }
        )
        return
    if not outcomes:
        click.echo("neither bills nor calls are in the ledger for that time")
    for outcome in outcomes:
        _print(outcome, dimensions)


def _print(outcome: Reconciliation, dimensions: list[str]) -> None:
    tenant = "" if outcome.tenant == "default" else f" ({outcome.tenant})"
    click.echo(click.style(f"{outcome.vendor}{tenant}", bold=True))
    if not outcome.has_bills:
        click.echo(
            f"  no bills were read; the ledger has ${outcome.metered_usd:,.2f}. See `weir bills poll --help`\n"
        )
        return
    click.echo(
        f"  billed ${outcome.billed_usd:,.2f} and {outcome.billed_tokens:,} tokens; in the ledger "
        f"${outcome.metered_usd:,.2f} and {outcome.metered_tokens:,} tokens"
    )
    shares = ((outcome.tokens_coverage, "tokens"), (outcome.cost_coverage, "money"))
    known = [f"{share * 100:.1f} % of the billed {what}" for share, what in shares if share is not None]
    click.echo(f"  the ledger knows {' and '.join(known)}\n" if known else "  nothing was billed\n")
    rows = [
        {
            "reason": one.reason,
            "days": _span(one),
            "tokens": one.tokens,
            "usd": one.cost_usd,
            "what": one.sentence,
        }
        for one in outcome.findings
    ]
    print_rows(rows, ["reason", "days", "tokens", "usd", "what"], "table", empty="  nothing disagrees")
    click.echo()
    drift = [_plain(row) for row in outcome.drift]
    print_rows(drift, [*dimensions, *_DRIFT], "table", empty="  the bills are not told apart so")
    click.echo()


def _span(finding: Finding) -> str:
    if not finding.days:
        return "all"
    first, last = finding.days[0], finding.days[-1]
    if first == last:
        return first.isoformat()
    return f"{first.isoformat()} to {last.isoformat()}, {len(finding.days)} days"


def _day(text: str | None, now: datetime) -> date | None:
    moment = parse_moment(text, now)
    return None if moment is None else moment.date()


def _plain(value: Any) -> Any:
    """Dates as text, whatever they are in."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.isoformat() if type(value) is date else value

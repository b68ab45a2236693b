"""`weir spend`, `query`, `rejected`: reading the ledger."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from sinks.clickhouse import queries
from tokenweir.cli.moments import parse_moment
from tokenweir.cli.options import find_place, ledger_options, open_ledger, parse_conditions, where_option
from tokenweir.cli.output import print_rows
from tokenweir.pricing import PriceBook

_FORMATS = click.Choice(["table", "json", "csv"])


@click.command()
@click.option("--by", default="", help="Dimensions, comma-separated: team,model,vendor,day…")
@click.option("--since", help="From this time on: 2026-11-01, today, 7d…")
@click.option("--until", help="Up to, not including, this time.")
@where_option
@click.option(
    "--prices",
    type=click.Choice(["billed", "known", "today"]),
    help="As billed, as known now, or at today's prices [default: as the ledger holds them].",
)
@click.option("--format", "form", type=_FORMATS, default="table", show_default=True)
@ledger_options
def spend(
    by: str,
    since: str | None,
    until: str | None,
    where: tuple[str, ...],
    prices: queries.Prices | None,
    form: str,
    as_json: bool,
    data_dir: Path | None,
) -> None:
    """What was spent: calls, tokens and cost, exact, largest first.

    `cost` is USD. Calls without a price are in `unpriced_calls`, never in the cost.

    The ledger holds each call at the price that it was metered with, or that `weir reprice` gave it since. With
    --prices: `billed` is without any re-pricing and never moves; `known` prices every call anew with all that the price
    book now knows of the call's own time; `today` prices it as if it were made now. The last two read every call.

    \b
    Examples:
      weir spend --by team,model --since 7d
      weir spend --by model --since 30d --prices today
      weir spend --by day --where vendor=anthropic --format csv
    """
    dimensions = [name.strip() for name in by.split(",") if name.strip()]
    now = datetime.now(UTC)
    place = find_place(data_dir)
    book = None
    if prices in ("known", "today"):
        pricing = place.settings.pricing
        book = PriceBook.default(pricing.overlay, place.recorded_prices, cache_dir=pricing.cache_dir)
    with open_ledger(place) as client:
        rows = queries.spend(
            client,
            by=dimensions,
            since=parse_moment(since, now),
            until=parse_moment(until, now),
            where=parse_conditions(where),
            prices=prices or "ledger",
            book=book,
            now=now,
        )
    columns = [
        *dimensions,
        "calls",
        "input_tokens",
        "cache_read_tokens",
        "output_tokens",
        "cost",
        "unpriced_calls",
    ]
    chosen = "json" if as_json else form
    if chosen == "csv" or (chosen == "json" and rows):
        columns = list(rows[0]) if rows else columns
    print_rows(rows, columns, chosen, empty="nothing was spent in that time")


@click.command()
@click.argument("sql")
@click.option("--format", "form", default="", help="Any ClickHouse output format [default: PrettyCompact].")
@ledger_options
def query(sql: str, form: str, as_json: bool, data_dir: Path | None) -> None:
    """Run read-only SQL on the ledger. The view to ask is `usage`: each call once.

    \b
    Example:
      weir query "SELECT model, sum(cost) FROM usage GROUP BY model ORDER BY 2 DESC"
    """
    chosen = form or (
        "JSON" if as_json else "PrettyCompact" if sys.stdout.isatty() else "PrettyCompactNoEscapes"
    )
    with open_ledger(find_place(data_dir)) as client:
        answer = queries.read_only_query(client, sql, chosen)
    sys.stdout.buffer.write(answer)
    sys.stdout.flush()


@click.command()
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--payload", is_flag=True, help="Show what was kept of each piece too.")
@ledger_options
def rejected(limit: int, payload: bool, as_json: bool, data_dir: Path | None) -> None:
    """What was refused, newest first: the reason, the field, where it stood.

    \b
    Example:
      weir rejected --limit 5 --payload
    """
    with open_ledger(find_place(data_dir)) as client:
        rows = queries.rejected(client, limit=limit)
    columns = ["rejected_at", "stage", "reason", "field", "detail", "id", "size_bytes"]
    if payload:
        columns.append("payload")
    print_rows(rows, columns, "json" if as_json else "table", empty="nothing was refused")

"""`weir budgets`: where each budget stands now."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from sinks.clickhouse.budgets import budget_standings, first_hours, forecast_usd, hours_of
from sinks.clickhouse.client import LedgerClient
from sinks.clickhouse.incidents import incidents
from tokenweir.cli.options import find_place, ledger_options, open_ledger
from tokenweir.cli.output import print_json, print_rows
from tokenweir.local.budget_tables import fill_budgets

_COLUMNS: Final = (
    "name",
    "tenant",
    "scope",
    "period",
    "period_end",
    "amount_usd",
    "spent_usd",
    "percent",
    "remaining_usd",
    "forecast_usd",
    "unpriced_calls",
    "open_signals",
)


@click.command()
@ledger_options
def budgets(as_json: bool, data_dir: Path | None) -> None:
    """Where each budget stands: what is spent of it in the present period, exactly, and what the period comes to.

    Budgets are those that the ledger was told of by `weir up` or `weir migrate`. The forecast takes the hours to come
    at the mean of those of the same weekday in the last four weeks; there is none before a week is known. Of a
    budget that names no tenant, each tenant has a row.

    \b
    Examples:
      weir budgets
      weir budgets --json
    """
    now = datetime.now(UTC)
    place = find_place(data_dir)
    wanted = place.settings.detection.budgets
    is_ours = place.data_dir is not None and place.data_dir.running() is None
    with open_ledger(place) as client:
        if is_ours and wanted:
            fill_budgets(client, wanted, now)
        rows = _rows(client, now)
    if wanted and wanted.keys() != {row["name"] for row in rows}:
        click.echo(
            "the settings here have other budgets than the ledger was told of; `weir migrate` tells it",
            err=True,
        )
    if as_json:
        print_json(rows)
        return
    shown = [
        {
            **row,
            "scope": _in_words(row["scope"]),
            "period_end": f"{row['period_end']:%Y-%m-%d %H:%M}",
            "percent": f"{row['percent']:.1f}",
            "open_signals": ", ".join(one["subject"] for one in row["open_signals"]),
        }
        for row in rows
    ]
    empty = "no budget is set: [detection.budgets.NAME] in tokenweir.toml sets one, `weir migrate` tells the ledger"
    print_rows(shown, _COLUMNS, "table", empty=empty)


def _rows(client: LedgerClient, now: datetime) -> list[dict[str, Any]]:
    standings = budget_standings(client)
    first = first_hours(client) if standings else {}
    told = incidents(client, is_open=True, kinds=("budget",)) if standings else []
    hours = {row["name"]: hours_of(client, row["scope"], now) for row in standings}
    rows = []
    for row in standings:
        tenant, known = row["tenant"], hours[row["name"]]
        forecast = None
        if tenant in first:
            forecast = forecast_usd(
                row["spent_usd"], known.get(tenant, {}), first[tenant], now, row["period_end"]
            )
        signals = [
            {name: one[name] for name in ("subject", "severity", "started_at", "fingerprint")}
            for one in told
            if one["evidence"].get("budget") == row["name"] and one["scope"].get("tenant") == tenant
        ]
        rows.append({**row, "forecast_usd": forecast, "open_signals": signals})
    return rows


def _in_words(scope: Mapping[str, list[str]]) -> str:
    return " ".join(f"{field}={'|'.join(values)}" for field, values in sorted(scope.items()))

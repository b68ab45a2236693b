"""`weir bills`: vendors' own usage and cost reports into the ledger, beside the events."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

import click

from producers.bills.exported import read_file, report_to_import
from producers.bills.fetch import Fetcher
from producers.bills.registry import report_names, vendors
from producers.bills.request import Account
from sinks.clickhouse import bills as stored
from tokenweir.cli.logs import set_up_logs
from tokenweir.cli.moments import parse_moment
from tokenweir.cli.options import find_place, json_option, ledger_options, open_ledger
from tokenweir.cli.output import print_json, print_rows
from tokenweir.cli.stopping import stopped_by_signal
from tokenweir.errors import WrongCall
from tokenweir.local.bills import (
    BillSender,
    PollResult,
    account_of,
    accounts_to_poll,
    exchange_rates,
    plan,
    poll,
)
from tokenweir.settings import BillsSettings
from tokenweir.topics import BILLS, REJECTED

_NEEDED = (BILLS, REJECTED)
_SINCE = click.option("--since", help="From this day on, as the vendor counts days: 2026-11-01, 7d…")
_UNTIL = click.option("--until", help="Up to, not including, this day.")
_VENDOR = click.option("--vendor", default="", help="Only this vendor.")


@click.group(invoke_without_command=True)
@click.pass_context
def bills(context: click.Context) -> None:
    """Vendors' own usage and cost reports: read them, import them, show them.

    They lie beside the ledger's events and are never added to them; `weir reconcile` compares the two.

    \b
    Examples:
      weir bills poll
      weir bills list --since 7d
    """
    if context.invoked_subcommand is None:
        context.invoke(list_bills)


@bills.command(name="list")
@_VENDOR
@_SINCE
@_UNTIL
@click.option("--history", is_flag=True, help="Show what each day said before it was restated, too.")
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True
)
@ledger_options
def list_bills(
    vendor: str = "",
    since: str | None = None,
    until: str | None = None,
    history: bool = False,
    form: str = "table",
    as_json: bool = False,
    data_dir: Path | None = None,
) -> None:
    """What the bills say, a row for each day of each report.

    `restated` is how many other states the day was in before; --history shows them.

    \b
    Example:
      weir bills list --vendor openai --since 30d
    """
    with open_ledger(find_place(data_dir)) as client:
        rows = stored.days(client, vendor=vendor, since=_day(since), until=_day(until), history=history)
    columns = [
        "day",
        "vendor",
        "account",
        "report",
        "lines",
        "input_tokens",
        "output_tokens",
        "amount",
        "currency",
        "is_final",
        "restated",
        "recorded_at",
    ]
    chosen = "json" if as_json else form
    if chosen != "table" and rows:
        columns = list(rows[0])
    print_rows(
        [_plain(row) for row in rows], columns, chosen, empty="no bills are in the ledger for that time"
    )


@bills.command(name="reports")
@json_option
def list_reports(as_json: bool) -> None:
    """The vendors and reports that are known.

    \b
    Example:
      weir bills reports
    """
    rows = [{"vendor": vendor, "report": report} for vendor in vendors() for report in report_names(vendor)]
    print_rows(rows, ["vendor", "report"], "json" if as_json else "table", empty="no reports are known")


@bills.command(name="poll")
@click.option(
    "--vendor", "chosen_vendors", multiple=True, help="Only accounts at this vendor; repeat for more."
)
@click.option("--account", "names", multiple=True, help="Only this group of the settings; repeat for more.")
@click.option("--report", "reports", multiple=True, help="Only this report; repeat for more.")
@_SINCE
@_UNTIL
@click.option("--every", type=click.FloatRange(min=1), metavar="SECONDS", help="Go on, with such a pause.")
@ledger_options
def poll_bills(
    chosen_vendors: tuple[str, ...],
    names: tuple[str, ...],
    reports: tuple[str, ...],
    since: str | None,
    until: str | None,
    every: float | None,
    as_json: bool,
    data_dir: Path | None,
) -> int:
    """Ask the vendors of the settings for their reports; returns when all is stored.

    Without --since the days that a vendor may still restate are read again, and today. A report that cannot be had is
    told and the others go on; the exit status is then 1.

    \b
    Examples:
      weir bills poll --vendor openai --since 2026-11-01
      weir bills poll --every 3600
    """
    from tokenweir.cli.way import way_to_ledger

    place = find_place(data_dir)
    set_up_logs(place.settings.model_copy(update={"log_level": "warning"}))
    planned = plan(accounts_to_poll(place.settings, vendors=chosen_vendors, names=names), reports)
    rates = exchange_rates(place.settings.pricing.overlay, place.recorded_prices)
    with (
        stopped_by_signal() as stopped,
        way_to_ledger(place, _NEEDED) as way,
        Fetcher(sleep=_pause(stopped)) as fetcher,
    ):
        sender = BillSender(way.delivery)
        while True:
            results = list(
                poll(
                    planned,
                    sender.send,
                    rates=rates,
                    clock=lambda: datetime.now(UTC),
                    fetcher=fetcher,
                    since=_day(since),
                    until=_day(until),
                )
            )
            sender.flush()
            way.wait_until_stored()
            _show(results, as_json)
            if every is None or stopped.wait(every):
                return 1 if any(result.error for result in results) else 0


@bills.command(name="import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--vendor", required=True, help="Whose report it is.")
@click.option("--report", default="", help="Which of the vendor's reports [default: its only one].")
@click.option("--account", "name", default="", help="The account: a group of the settings, or any name.")
@click.option(
    "--tenant", default="", help="Whose ledger it belongs to [default: the settings', else default]."
)
@click.option("--day", help="Of an answer that does not say of which day it is.")
@ledger_options
def import_bills(
    paths: tuple[Path, ...],
    vendor: str,
    report: str,
    name: str,
    tenant: str,
    day: str | None,
    as_json: bool,
    data_dir: Path | None,
) -> int:
    """Read reports from files: a vendor's answers as JSON or JSON Lines, or rows of Google's billing export.

    A file replaces the days of which it has lines, each as a whole, so give whole days.

    \b
    Example:
      weir bills import november.jsonl --vendor google
    """
    from tokenweir.cli.way import way_to_ledger

    place = find_place(data_dir)
    set_up_logs(place.settings.model_copy(update={"log_level": "warning"}))
    kind = report_to_import(vendor, report)
    account = _account(place.settings.bills.get(name), vendor, name, tenant)
    rates = exchange_rates(place.settings.pricing.overlay, place.recorded_prices)
    now = datetime.now(UTC)
    readings = [read_file(path, kind, account, now=now, rates=rates, day=_day(day)) for path in paths]
    with way_to_ledger(place, _NEEDED) as way:
        sender = BillSender(way.delivery)
        for reading in readings:
            sender.send(account, reading)
        sender.flush()
        way.wait_until_stored()
    results = [
        PollResult(
            vendor,
            account.name,
            kind.name,
            reading.days,
            sum(1 for bill in reading.bills if bill.line),
            len(reading.rejections),
            reading.problem,
        )
        for reading in readings
    ]
    _show(results, as_json)
    return 1 if any(result.error for result in results) else 0


def _account(settings: BillsSettings | None, vendor: str, name: str, tenant: str) -> Account:
    if settings is not None:
        if settings.vendor != vendor:
            raise WrongCall(f"the account {name} is at {settings.vendor}, not at {vendor}")
        known = account_of(name, settings)
    else:
        known = Account(vendor=vendor, name=name or vendor)
    return Account(
        vendor=vendor,
        name=known.name,
        tenant=tenant or known.tenant,
        vendor_account=known.vendor_account,
        resources=known.resources,
        labels=known.labels,
    )


def _show(results: Sequence[PollResult], as_json: bool) -> None:
    rows = [asdict(result) for result in results]
    if as_json:
        print_json(rows)
        return
    columns = ["vendor", "account", "report", "days", "lines", "refused_lines"]
    print_rows(rows, columns, "table", empty="no report was read")
    for result in results:
        if result.error:
            click.echo(f"weir: {result.error}", err=True)
        elif result.refused_lines:
            click.echo(
                f"{result.refused_lines:,} lines of {result.report} were refused; `weir rejected` says why",
                err=True,
            )


def _plain(row: stored.Row) -> stored.Row:
    return {name: value.isoformat() if type(value) is date else value for name, value in row.items()}


def _day(text: str | None) -> date | None:
    moment = parse_moment(text, datetime.now(UTC))
    return None if moment is None else moment.date()


def _pause(stopped: threading.Event) -> Callable[[float], None]:
    def pause(seconds: float) -> None:
        stopped.wait(seconds)

    return pause

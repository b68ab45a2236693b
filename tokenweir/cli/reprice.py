"""`weir reprice`: the ledger's calls at the prices that are known now, with a report of what that changed."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from sinks.clickhouse import queries
from sinks.clickhouse.client import LedgerClient
from sinks.clickhouse.conditions import Where
from tokenweir import topics
from tokenweir.cli.logs import set_up_logs
from tokenweir.cli.moments import parse_moment
from tokenweir.cli.options import (
    Place,
    find_place,
    ledger_options,
    open_ledger,
    parse_conditions,
    require_ledger,
    where_option,
)
from tokenweir.cli.output import print_json, print_rows
from tokenweir.cli.stopping import stopped_by_signal
from tokenweir.cli.way import ledger_beside, way_to_ledger
from tokenweir.errors import WrongCall
from tokenweir.local.data_dir import DataDir
from tokenweir.local.price_following import (
    EVERY_SECONDS,
    UNPRICED,
    PriceFollower,
    follow_prices,
    price_files,
)
from tokenweir.local.repricing import KafkaOutlet, foresee
from tokenweir.local.repricing import reprice as reprice_ledger
from tokenweir.local.repricing_journal import JobTerms, Journal, open_journal
from tokenweir.local.settling import SettledPrices, settle_elsewhere
from tokenweir.pricing import PriceBook
from tokenweir.pricing.repricing_report import RepricingReport

_JOURNALS: Final = "repricing"
_SETTLING: Final = "settling"
"""Beside the journals of what was asked for, those of what has to be settled with it."""

_BY_CONTRACT: Final = ("contract", "allowance")

_COLUMNS: Final = (
    "vendor",
    "model",
    "changed_calls",
    "cost_before",
    "cost_after",
    "difference",
    "newly_priced_calls",
    "newly_unpriced_calls",
)


@click.command()
@click.option("--since", help="From this time on: 2026-11-01, today, 7d…")
@click.option("--until", help="Up to, not including, this time.")
@where_option
@click.option("--unpriced", is_flag=True, help="Only calls that have no price.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option(
    "--prices",
    "overlay",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The company's price file [default: the settings' pricing.overlay].",
)
@click.option(
    "--without-contracts",
    is_flag=True,
    help="Undo what contracts made of the calls, where no price file is given.",
)
@click.option(
    "--follow", is_flag=True, help="Stay: price calls when they have a price, and settle allowances."
)
@click.option(
    "--every",
    type=click.FloatRange(min=1),
    default=EVERY_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="With --follow: the pause between two looks.",
)
@click.option(
    "--heartbeat",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --follow: a file that is touched after each look that went well, for health checks.",
)
@ledger_options
def reprice(
    since: str | None,
    until: str | None,
    where: tuple[str, ...],
    unpriced: bool,
    dry_run: bool,
    overlay: Path | None,
    without_contracts: bool,
    follow: bool,
    every: float,
    heartbeat: Path | None,
    as_json: bool,
    data_dir: Path | None,
) -> None:
    """Price calls of the ledger anew, with all that the price book knows now; returns when all is stored.

    Every call of the period is priced as of its own time. Where the answer is another one than the ledger holds, the
    call gets it: its cost, its parts, the price that was used. What it was billed at first stays beside that, and
    no price ever moves `weir spend --prices billed`. Without --since and --until it is the whole ledger.

    Free tiers and prepaid packs are used up anew, in the order of the calls. Calls outside of the period or of --where
    which that leaves more or less of them get their cost, too.

    A run that was interrupted or killed goes on where it was when it is started again in the same way, and reports on
    all of it.

    With --follow it stays, and gives calls without a price theirs when it has become known. `weir up` does so itself.

    \b
    Examples:
      weir reprice --unpriced
      weir reprice --since 2026-11-01 --where vendor=deepseek --dry-run
    """
    place = find_place(data_dir)
    set_up_logs(place.settings.model_copy(update={"log_level": "warning"}))
    if follow:
        if since or until or where or unpriced or dry_run:
            raise WrongCall("--follow looks at all calls without a price", hint="Leave the conditions out")
        _follow(place, overlay, every, heartbeat, as_json=as_json)
        return
    conditions = parse_conditions(where)
    if unpriced:
        if "price_status" in conditions:
            raise WrongCall("--unpriced is itself a condition on price_status", hint="Leave one of them out")
        conditions |= UNPRICED
    require_ledger(place)
    book = _book(place, overlay)
    now = datetime.now(UTC)
    terms = JobTerms(
        since=parse_moment(since, now),
        until=parse_moment(until, now),
        # A price that is stated to be known from a later day on is known all the same, as it is to the meter.
        known_at=max(now, book.last_recorded_at),
        started_at=now,
    )
    with _progress(quiet=as_json or not sys.stderr.isatty()) as tell:
        if dry_run:
            with open_ledger(place) as client:
                report = foresee(client, _prices(client, book, terms), terms, conditions, tell=tell)
                for other in settle_elsewhere(client, book, terms, conditions):
                    report.add(foresee(client, other.price, other.terms, other.where, tell=tell))
            _show(report, terms, dry_run=True, as_json=as_json)
            return
        arguments = {
            "ledger": _name_of(place),
            "since": since,
            "until": until,
            "where": conditions,
            "overlay": str(overlay.absolute()) if overlay is not None else None,
        }
        with way_to_ledger(place, (topics.METERED,)) as way, ledger_beside(way, place) as client:
            if not without_contracts and _overlay(place, overlay) is None:
                _refuse_to_undo_contracts(client, terms, conditions)
            with open_journal(_journals(place), arguments, terms) as journal:
                _say_resumed(journal)
                terms = journal.terms
                outlet = KafkaOutlet(way.delivery, check=way.check, wait=way.wait_until_stored)
                price = _prices(client, book, terms)
                report = reprice_ledger(client, outlet, journal, price, conditions, tell=tell)
                for other in settle_elsewhere(client, book, terms, conditions):
                    own = arguments | {"settles": other.vendor}
                    with open_journal(_journals(place) / _SETTLING, own, other.terms) as settling:
                        report.add(
                            reprice_ledger(client, outlet, settling, other.price, other.where, tell=tell)
                        )
                        settling.finish()
                _show(report, terms, dry_run=False, as_json=as_json)
                journal.finish()


def _prices(client: LedgerClient, book: PriceBook, terms: JobTerms) -> SettledPrices:
    return SettledPrices(client, book, since=terms.since, known_at=terms.known_at)


def _follow(
    place: Place, overlay: Path | None, every: float, heartbeat: Path | None, *, as_json: bool
) -> None:
    require_ledger(place)
    follower = PriceFollower(
        load=lambda: _book(place, overlay),
        files=lambda: price_files(_overlay(place, overlay), place.recorded_prices),
    )

    def tell(report: RepricingReport) -> None:
        if heartbeat is not None:
            heartbeat.touch()
        if not report.total.changed_calls:
            return
        if as_json:
            print_json({"calls": report.calls, **report.total.row(), "by_model": report.rows()})
        else:
            _show_changes(report, "got")

    with (
        stopped_by_signal() as stopped,
        way_to_ledger(place, (topics.METERED,)) as way,
        ledger_beside(way, place) as client,
    ):
        follow_prices(
            follower,
            client,
            KafkaOutlet(way.delivery, check=way.check, wait=way.wait_until_stored),
            clock=lambda: datetime.now(UTC),
            stopped=stopped,
            tell=tell,
            every_seconds=every,
        )


def _overlay(place: Place, overlay: Path | None) -> Path | None:
    """The company's price file, where there is one."""
    return overlay or place.settings.pricing.overlay


def _book(place: Place, overlay: Path | None) -> PriceBook:
    cache_dir = place.settings.pricing.cache_dir
    return PriceBook.default(_overlay(place, overlay), place.recorded_prices, cache_dir=cache_dir)


def _refuse_to_undo_contracts(client: LedgerClient, terms: JobTerms, where: Where) -> None:
    """Raise WrongCall where calls were priced by a price file, and there is none now."""
    rows = queries.spend(client, by=["price_status"], since=terms.since, until=terms.until, where=where)
    calls = sum(row["calls"] for row in rows if row["price_status"] in _BY_CONTRACT)
    if calls:
        raise WrongCall(
            f"{calls:,} of these calls were priced by the contracts of a price file, and none is given: they would "
            "lose what the contracts made of them",
            hint="Name the file with --prices or in pricing.overlay, or say --without-contracts",
        )


def _journals(place: Place) -> Path:
    """Where the journals of a ledger are kept: beside an embedded one, else in this machine's own directory."""
    data_dir = place.data_dir or DataDir(place.settings.local.data_dir)
    return data_dir.path / _JOURNALS


def _name_of(place: Place) -> str:
    """What tells a ledger from others, without any password."""
    if place.data_dir is not None:
        return str(place.data_dir.path)
    where = urlsplit(place.settings.clickhouse.dsn.get_secret_value()).netloc.rpartition("@")[2]
    return f"{where}/{place.settings.clickhouse.database}"


def _say_resumed(journal: Journal) -> None:
    if journal.is_resumed:
        click.echo(
            f"goes on with the run of {journal.terms.started_at:%Y-%m-%d %H:%M} UTC, which has looked at "
            f"{journal.report.calls:,} calls; for prices that became known since then, run it once more after that",
            err=True,
        )


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[int], None]]:
    if quiet:
        yield lambda _: None
        return
    columns = (TextColumn("{task.completed:,} calls looked at"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda calls: progress.update(task, completed=calls)


def _show(report: RepricingReport, terms: JobTerms, *, dry_run: bool, as_json: bool) -> None:
    total = report.total
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "since": terms.since,
                "until": terms.until,
                "known_at": terms.known_at,
                "calls": report.calls,
                **total.row(),
                "by_model": report.rows(),
            }
        )
        return
    _show_changes(report, "would get" if dry_run else "got")


def _show_changes(report: RepricingReport, verb: str) -> None:
    total = report.total
    click.echo(f"{total.changed_calls:,} of {report.calls:,} calls {verb} another price")
    if total.changed_calls:
        rows = [{"vendor": "all", "model": "", **total.row()}, *report.rows()]
        print_rows(rows, _COLUMNS, "table", empty="")

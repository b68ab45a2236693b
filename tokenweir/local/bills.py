"""Polling vendors' reports for the accounts of the settings, and sending what they say to Kafka.

One report's failure is no other's: each is told by itself, and the days that it would have covered keep what was known
of them.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from producers.bills.fetch import Fetcher
from producers.bills.poll import ReportReading, read_report, window_to_poll
from producers.bills.registry import Report, reports_of
from producers.bills.request import Account, Credentials, bearer, x_api_key
from producers.delivery import Delivery
from producers.delivery.batching import Message
from tokenweir.bills.line import day_of
from tokenweir.bills.wire import account_key, encode_messages
from tokenweir.errors import BrokerUnavailable, TokenweirError, WrongCall
from tokenweir.pricing.exchange import ExchangeRates, reference_rates
from tokenweir.pricing.overlay import read_overlay_file
from tokenweir.pricing.recorded import read_recorded
from tokenweir.settings import BillsSettings, Settings
from tokenweir.topics import BILLS, REJECTED

log = logging.getLogger("tokenweir.bills")

_PATIENCE_SECONDS: Final = 120.0


@dataclass(slots=True)
class PollResult:
    """How one report of one account came out. error: why not, empty where it did."""

    vendor: str
    account: str
    report: str
    days: int = 0
    lines: int = 0
    refused_lines: int = 0
    error: str = ""


def account_of(name: str, settings: BillsSettings) -> Account:
    """The account that a group of the settings describes."""
    return Account(
        vendor=settings.vendor,
        name=name,
        tenant=settings.tenant,
        credentials=Credentials(
            key=_plain(name, "key", settings.key),
            key_id=_plain(name, "key_id", settings.key_id),
            session_token=_plain(name, "session_token", settings.session_token),
        ),
        base_url=settings.base_url,
        vendor_account=settings.vendor_account,
        region=settings.region,
        resources=tuple(settings.resources),
        labels=settings.labels,
    )


def _plain(account: str, field: str, secret: SecretStr) -> str:
    """A secret without the line end that files give it. Raises WrongCall where it can be no header's value."""
    text = secret.get_secret_value().strip()
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise WrongCall(
            f"the {field} of the account {account} holds a blank or a character that no key has",
            hint=f"Copy it again into TOKENWEIR_BILLS__{account.upper()}__{field.upper()}",
        )
    return text


def accounts_to_poll(
    settings: Settings, *, vendors: Sequence[str] = (), names: Sequence[str] = ()
) -> dict[str, BillsSettings]:
    """The settings' accounts, or those of these vendors or names. Raises WrongCall where there is none of them."""
    for name in names:
        if name not in settings.bills:
            known = ", ".join(settings.bills) or "none"
            raise WrongCall(f"the settings name no account {name!r} for bills", hint=f"They name {known}")
    chosen = {
        name: one
        for name, one in settings.bills.items()
        if (not names or name in names) and (not vendors or one.vendor in vendors)
    }
    if not chosen:
        raise WrongCall(
            "the settings name no such account to ask for bills",
            hint="Add a group [bills.NAME] to tokenweir.toml; docs/bills.md shows one",
        )
    return chosen


def exchange_rates(overlay: Path | None, recorded: Path) -> ExchangeRates:
    """The rates that come with Tokenweir, recorded ones, and the company's own, each over the one before.

    Raises WrongCall for a wrong file, RecordedChanged for a recorded one that is not what it was.
    """
    company = [] if overlay is None else read_overlay_file(overlay).exchange_rates
    return ExchangeRates(reference_rates(), read_recorded(recorded).exchange_rates(), company)


@dataclass(frozen=True, slots=True)
class Planned:
    """One report of one account that is to be read."""

    account: Account
    settings: BillsSettings
    report: Report


def plan(accounts: dict[str, BillsSettings], reports: Sequence[str] = ()) -> list[Planned]:
    """What is to be read of these accounts. Raises WrongCall for one that cannot be asked at all."""
    return [
        Planned(account_of(name, one), one, report)
        for name, one in accounts.items()
        for report in _reports(name, one, reports)
    ]


def poll(
    planned: Sequence[Planned],
    send: Callable[[Account, ReportReading], None],
    *,
    rates: ExchangeRates,
    clock: Callable[[], datetime],
    fetcher: Fetcher,
    since: date | None = None,
    until: date | None = None,
) -> Iterator[PollResult]:
    """Each report, read and handed to `send`. Raises only what `send` raises."""
    for one in planned:
        account, report = one.account, one.report
        result = PollResult(account.vendor, account.name, report.name)
        now = clock()
        window = window_to_poll(report, now, _since(report, one.settings, now, since), until)
        fetch = partial(
            fetcher.fetch,
            sign=report.sign,
            credentials=account.credentials,
            what=f"{report.name} of {account.name} at {account.vendor}",
        )
        readings = read_report(report, account, window, fetch, now=now, rates=rates)
        while True:
            try:
                reading = next(readings, None)
            except TokenweirError as error:
                result.error = str(error)
                log.warning("%s", error)
                break
            if reading is None:
                break
            send(account, reading)
            result.days += reading.days
            result.lines += sum(1 for bill in reading.bills if bill.line)
            result.refused_lines += len(reading.rejections)
            if reading.problem:
                result.error = reading.problem
        yield result


def _since(report: Report, settings: BillsSettings, now: datetime, since: date | None) -> date | None:
    if since is not None or settings.settle_days is None:
        return since
    return day_of(now, report.utc_offset_minutes) - timedelta(days=settings.settle_days)


def _reports(name: str, settings: BillsSettings, reports: Sequence[str]) -> list[Report]:
    if not settings.key.get_secret_value():
        raise WrongCall(
            f"the account {name} has no key",
            hint=f"Set TOKENWEIR_BILLS__{name.upper()}__KEY, or key in [bills.{name}]",
        )
    found = reports_of(settings.vendor, list(reports) or settings.reports)
    signed = [report for report in found if report.sign not in (bearer, x_api_key)]
    if signed and not settings.key_id.get_secret_value():
        raise WrongCall(
            f"the account {name} has no key_id",
            hint=f"{settings.vendor} signs with a pair: set key_id and key in [bills.{name}]",
        )
    return found


class BillSender:
    """Sends readings to Kafka."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._bills = delivery.topic(BILLS.name)
        self._rejected = delivery.topic(REJECTED.name)

    def send(self, account: Account, reading: ReportReading) -> None:
        """Take a reading, waiting for room. Raises BrokerUnavailable."""
        key = account_key(account.tenant, account.vendor, account.name)
        for value, lines in encode_messages(reading.bills):
            self._delivery.send(Message(self._bills, key, value, lines), timeout_seconds=_PATIENCE_SECONDS)
        for rejection in reading.rejections:
            value = rejection.model_dump_json().encode()
            self._delivery.send(Message(self._rejected, None, value, 1), timeout_seconds=_PATIENCE_SECONDS)

    def flush(self) -> None:
        """Wait until Kafka has confirmed everything. Raises BrokerUnavailable."""
        if not self._delivery.flush(_PATIENCE_SECONDS):
            raise BrokerUnavailable(
                f"Kafka confirmed nothing for {_PATIENCE_SECONDS:.0f} s", hint="See `weir doctor`"
            )

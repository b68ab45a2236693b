"""Accounts out of the settings: secrets, labels, and what cannot be a key."""

import tomllib
from datetime import date
from typing import Any

import pytest
from pydantic import SecretStr

from producers.bills.fetch import Fetcher
from producers.bills.poll import ReportReading
from tests.bills.cases import NOW, RATES
from tests.bills.fake_vendors import KEY, Fake, OpenRouter
from tests.bills.vendor_server import VendorServer
from tests.docs.pages import ROOT, blocks
from tokenweir.errors import BrokerUnavailable, WrongCall
from tokenweir.local.bills import account_of, plan, poll
from tokenweir.settings import BillsSettings, Settings


def settings(**fields: Any) -> BillsSettings:
    return BillsSettings(**{"vendor": "openrouter", "key": SecretStr(KEY), **fields})


def test_a_secret_may_end_with_a_line_end_and_shows_nowhere() -> None:
    account = account_of("main", settings(key=SecretStr(f"{KEY}\n"), labels={"a": "b"}))
    assert account.credentials.key == KEY
    assert account.label("a") == "b"
    assert KEY not in repr(account)
    assert KEY not in repr(Settings(bills={"main": settings()}))


@pytest.mark.parametrize("key", ["two words", "line\nend", "schlüssel", "a\x00b"])
def test_what_can_be_no_key_is_told_without_it(key: str) -> None:
    with pytest.raises(WrongCall, match="holds a blank or a character") as wrong:
        account_of("main", settings(key=SecretStr(key)))
    assert key not in str(wrong.value)


def test_a_vendor_that_signs_with_a_pair_needs_both_halves() -> None:
    with pytest.raises(WrongCall, match="has no key_id"):
        plan({"cloud": settings(vendor="aws")})


@pytest.mark.parametrize("address", ["file:///etc/passwd", "example.com"])
def test_an_address_is_a_web_address(address: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        settings(base_url=address)


def test_the_accounts_of_the_page_are_accounts() -> None:
    (example,) = [block.text for block in blocks(ROOT / "docs" / "bills.md") if block.language == "toml"]
    groups = tomllib.loads(example)["bills"]
    accounts = {name: BillsSettings(**{"key": KEY, **group}) for name, group in groups.items()}
    assert {one.account.vendor for one in plan(accounts)} == {"openai", "aws", "xai"}


class Polled:
    """One account polled once. `sent` is what was handed on."""

    def __init__(self, fake: Fake, **fields: Any) -> None:
        self.sent: list[ReportReading] = []
        with VendorServer(fake.answer) as server, Fetcher(clock=lambda: NOW, sleep=lambda _: None) as fetcher:
            planned = plan({"main": settings(base_url=server.url, **fields)})
            self.results = list(poll(planned, self._send, rates=RATES, clock=lambda: NOW, fetcher=fetcher))
            self.asked = [one.one("date") for one in server.asked]

    def _send(self, _: Any, reading: ReportReading) -> None:
        self.sent.append(reading)


def test_as_many_days_are_read_again_as_the_settings_say() -> None:
    def days(first: int) -> list[str]:
        return [str(date(2026, 11, day)) for day in range(first, 10)]

    assert Polled(OpenRouter()).asked == days(7)
    assert Polled(OpenRouter(), settle_days=5).asked == days(5)
    assert Polled(OpenRouter(), settle_days=0).asked == []


def test_what_cannot_be_sent_is_not_taken_for_a_vendors_fault() -> None:
    class Unsent(Polled):
        def _send(self, _: Any, reading: ReportReading) -> None:
            raise BrokerUnavailable("Kafka is away")

    with pytest.raises(BrokerUnavailable):
        Unsent(OpenRouter())

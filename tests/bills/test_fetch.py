"""What asks vendors, against servers that are hostile, slow or broken."""

import gzip
import json
import socket
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from producers.bills import fetch as module
from producers.bills.failures import ReportRefused, ReportUnavailable, ReportUnreadable
from producers.bills.fetch import ATTEMPTS, Fetcher, retry_after_seconds
from producers.bills.request import Credentials, Request, bearer
from tests.bills.fake_vendors import KEY
from tests.bills.vendor_server import Asked, Fault, VendorServer

NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)


class Tried:
    def __init__(self, server: VendorServer, fetcher: Fetcher, pauses: list[float]) -> None:
        self.server = server
        self.fetcher = fetcher
        self.pauses = pauses

    def fetch(self, url: str = "") -> dict[str, object]:
        request = Request(method="GET", url=url or f"{self.server.url}/report", query=(("a b", "ü&="),))
        return self.fetcher.fetch(request, bearer, Credentials(key=KEY), "the report of main")


@contextmanager
def tried(answer: Callable[[Asked], object] = lambda asked: {"ok": True}) -> Iterator[Tried]:
    pauses: list[float] = []
    with (
        VendorServer(lambda asked: (200, answer(asked))) as server,
        Fetcher(clock=lambda: NOW, sleep=pauses.append, timeout_seconds=0.5) as fetcher,
    ):
        yield Tried(server, fetcher, pauses)


def test_what_is_asked_arrives_as_it_was_meant() -> None:
    with tried() as one:
        assert one.fetch() == {"ok": True}
        (asked,) = one.server.asked
    assert asked.query == [("a b", "ü&=")]
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["user-agent"].startswith("tokenweir/")


def test_amounts_are_read_exactly() -> None:
    with tried(lambda asked: b'{"a": 4.1400000000000003e-05, "b": 0.1}') as one:
        assert one.fetch() == {"a": Decimal("4.1400000000000003e-05"), "b": Decimal("0.1")}


def test_pauses_grow_and_end() -> None:
    with tried() as one:
        one.server.faults.extend([Fault(503)] * 20)
        with pytest.raises(ReportUnavailable, match="answered 503, after 6 attempts"):
            one.fetch()
        assert len(one.server.asked) == ATTEMPTS
        assert len(one.pauses) == ATTEMPTS - 1
        assert one.pauses[0] < one.pauses[-1] < 20


def test_a_vendor_that_asks_for_an_hour_is_not_waited_for() -> None:
    with tried() as one:
        one.server.faults.append(Fault(429, {"retry-after": "3600"}))
        with pytest.raises(ReportUnavailable, match="asked too often, after 1 attempts") as unavailable:
            one.fetch()
        assert one.pauses == []
        assert unavailable.value.retry_after_seconds == 3600


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("Tue, 10 Nov 2026 12:01:00 GMT", 60.0),
        ("Tue, 10 Nov 2026 11:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("9" * 400, None),
        ("١٢", None),
        ("Tue, 99 Nov 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert retry_after_seconds(text, NOW) == seconds


def test_a_slow_vendor_is_given_up_and_asked_again() -> None:
    with tried() as one:
        one.server.faults.append(Fault(200, delay_seconds=1.5))
        assert one.fetch() == {"ok": True}
        assert len(one.pauses) == 1


def test_a_vendor_that_is_not_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with tried() as one, pytest.raises(ReportUnavailable, match="no connection"):
            one.fetch(url)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed_with_a_key(status: int) -> None:
    with tried() as one:
        one.server.faults.append(Fault(status, {"location": f"{one.server.url}/elsewhere"}))
        with pytest.raises(ReportRefused, match="Redirects are not followed"):
            one.fetch()
        assert len(one.server.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_final_and_says_nothing_that_the_vendor_said(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with tried() as one:
        one.server.faults.append(Fault(status, body=f"a canary and {KEY}".encode()))
        with pytest.raises(ReportRefused) as refused:
            one.fetch()
        assert len(one.server.asked) == 1
    said = f"{refused.value} {refused.value.__cause__!r} {refused.value.__context__!r} {caplog.text}"
    assert KEY not in said
    assert "canary" not in said


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[1]",
        b'"text"',
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a":' * 50_000,
        b'{"a": ' + b"9" * 10_000 + b"}",
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with tried() as one:
        one.server.faults.append(Fault(200, body=body))
        with pytest.raises(ReportUnreadable):
            one.fetch()


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ANSWER_BYTES", 1_000_000)
    bomb = gzip.compress(b'{"a": "' + b" " * 30_000_000 + b'"}')
    with tried() as one:
        one.server.faults.append(Fault(200, {"content-encoding": "gzip"}, body=bomb))
        with pytest.raises(ReportUnreadable, match="more than 1000000 bytes"):
            one.fetch()


def test_a_broken_packing_is_refused() -> None:
    with tried() as one:
        one.server.faults.append(Fault(200, {"content-encoding": "gzip"}, body=b"not gzip"))
        with pytest.raises(ReportUnreadable, match="cannot be unpacked"):
            one.fetch()
        one.server.faults.append(
            Fault(200, {"content-encoding": "deflate"}, body=zlib.compress(json.dumps({"b": 1}).encode()))
        )
        assert one.fetch() == {"b": 1}


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "http://", "nonsense"])
def test_an_address_that_is_none(url: str) -> None:
    with tried() as one, pytest.raises((ReportRefused, ReportUnavailable)):
        one.fetch(url)

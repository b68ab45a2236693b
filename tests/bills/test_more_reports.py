"""Reports that are asked for only by name, other cuts of the same bill, and what spans months."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from producers.bills.fetch import Fetcher
from producers.bills.poll import ReportReading, read_report, window_to_poll
from producers.bills.registry import reports_of
from producers.bills.request import Account, Credentials, Window
from tests.bills.cases import NOW, RATES
from tests.bills.fake_clouds import Together, signed
from tests.bills.fake_vendors import FIRST, KEY, KEY_ID, Alibaba, Mistral, OpenRouter, unix
from tests.bills.vendor_server import Asked, VendorServer
from tokenweir.bills import VendorBill
from tokenweir.errors import WrongCall


def read(
    answer: Callable[[Asked], tuple[int, Any]], vendor: str, report: str, window: Window, **account: Any
) -> tuple[list[VendorBill], list[Asked], list[ReportReading]]:
    """Lines, what was asked, and the readings."""
    one = reports_of(vendor, [report])[0]
    with VendorServer(answer) as server, Fetcher(clock=lambda: NOW) as fetcher:
        who = Account(
            vendor=vendor,
            name="main",
            credentials=Credentials(key=KEY, key_id=KEY_ID),
            base_url=server.url,
            **account,
        )
        fetch = partial(fetcher.fetch, sign=one.sign, credentials=who.credentials, what="it")
        readings = list(read_report(one, who, window, fetch, now=NOW, rates=RATES))
    lines = [bill for reading in readings for bill in reading.bills if bill.line]
    assert [reading.rejections for reading in readings] == [[]] * len(readings)
    return lines, server.asked, readings


def one_day(offset: int = 0) -> Window:
    return Window(FIRST, FIRST + timedelta(days=1), offset)


def test_credits_tell_how_things_stand_now() -> None:
    report = reports_of("openrouter", ["credits"])[0]
    window = window_to_poll(report, NOW, since=date(2026, 1, 1))
    assert (window.start, window.end) == (NOW.date(), NOW.date() + timedelta(days=1))
    lines, _, _ = read(OpenRouter().answer, "openrouter", "credits", window)
    assert [(line.quantity, line.is_detail, line.amount) for line in lines] == [
        (Decimal("100.5"), True, None),
        (Decimal("25.75"), True, None),
    ]


def test_generations_are_asked_for_one_by_one() -> None:
    def answer(asked: Asked) -> tuple[int, Any]:
        generation = {
            "id": asked.one("id"),
            "created_at": "2026-11-01T10:00:00+00:00",
            "model": "anthropic/claude-sonnet-5",
            "native_tokens_prompt": 12,
            "native_tokens_completion": 25,
            "native_tokens_cached": 3,
            "total_cost": 0.0015,
        }
        return 200, {"data": generation}

    lines, asked, _ = read(answer, "openrouter", "generation", one_day(), resources=("gen-1", "gen-2"))
    assert [one.one("id") for one in asked] == ["gen-1", "gen-2"]
    assert [(line.line_item, line.input_tokens, line.amount) for line in lines] == [
        ("generation gen-1", 12, Decimal("0.0015")),
        ("generation gen-2", 12, Decimal("0.0015")),
    ]
    assert all(line.is_detail for line in lines)


def test_the_calls_of_a_token_plan_key_by_key_and_page_by_page() -> None:
    def answer(asked: Asked) -> tuple[int, Any]:
        assert signed(asked, "TC3-HMAC-SHA256")
        body = asked.json
        page = int(body.get("Context", 0))
        row = {
            "ModelName": "hy3-preview",
            "ApiKeyId": body["ApiKeyId"],
            "RequestId": f"{body['ApiKeyId']}-{page}",
            "RequestTime": "2026-11-01T00:00:05+08:00",
            "InputToken": 100,
            "CacheToken": 40,
            "OutputToken": 20,
        }
        over = page == 1
        return 200, {
            "Response": {"List": [row], "ListOver": over, "Context": "" if over else "1", "RequestId": "r"}
        }

    lines, asked, _ = read(
        answer,
        "tencent",
        "token_plan",
        one_day(480),
        vendor_account="plan-1",
        resources=("key-1", "key-2"),
        labels={"key-1": "checkout"},
    )
    assert [(one.json["ApiKeyId"], one.json.get("Context", "")) for one in asked] == [
        ("key-1", ""),
        ("key-1", "1"),
        ("key-2", ""),
        ("key-2", "1"),
    ]
    assert sorted(line.api_key for line in lines) == ["checkout", "checkout", "key-2", "key-2"]
    assert {line.day for line in lines} == {FIRST}
    assert sum(line.cache_read_tokens or 0 for line in lines) == 160


@pytest.mark.parametrize(("report", "field"), [("api_key", "api_key"), ("workspace", "project")])
def test_another_cut_of_the_same_money_is_a_detail(report: str, field: str) -> None:
    lines, asked, _ = read(
        Alibaba().answer, "alibaba", f"billing_trend/{report}", one_day(480), labels={"qwen-plus": "ours"}
    )
    assert len(json.loads(asked[0].one("groupBy"))) == 1
    assert sorted((getattr(line, field), line.model, line.is_detail) for line in lines) == [
        ("", "", True),
        ("ours", "", True),
    ]


@pytest.mark.parametrize(
    ("report", "row", "expected"),
    [
        ("images", {"images": 3, "size": "1024x1024", "source": "image.generation"}, (3, "images")),
        ("audio_speeches", {"characters": 450}, (450, "characters")),
        ("audio_transcriptions", {"seconds": 61}, (61, "audio_seconds")),
        ("vector_stores", {"usage_bytes": 1024}, (1024, "stored_bytes")),
        ("code_interpreter_sessions", {"num_sessions": 2}, (2, "sessions")),
        ("file_search_calls", {"num_requests": 4, "vector_store_id": "vs_1"}, (4, "file_searches")),
        ("web_search_calls", {"num_requests": 5, "context_level": "low"}, (5, "web_searches")),
    ],
)
def test_openai_counts_other_things_than_tokens(
    report: str, row: dict[str, Any], expected: tuple[int, str]
) -> None:
    def answer(asked: Asked) -> tuple[int, Any]:
        assert asked.path == f"/v1/organization/usage/{report}"
        bucket = {"start_time": unix(FIRST), "end_time": unix(FIRST) + 86400, "results": [row]}
        return 200, {"data": [bucket], "has_more": False}

    (line,), _, _ = read(answer, "openai", f"usage/{report}", one_day())
    assert (line.quantity, line.unit) == expected
    assert line.line_item.startswith(report)
    assert line.input_tokens is None


def test_xai_by_what_the_settings_say() -> None:
    def answer(asked: Asked) -> tuple[int, Any]:
        assert asked.json["analyticsRequest"]["groupBy"] == ["model", "api_key"]
        series = {
            "group": ["grok-4", "k1"],
            "dataPoints": [{"timestamp": "2026-11-01T00:00:00Z", "values": ["1.5"]}],
        }
        return 200, {"timeSeries": [series], "limitReached": False}

    (line,), _, _ = read(
        answer,
        "xai",
        "usage",
        one_day(),
        vendor_account="team-1",
        resources=("model", "api_key"),
        labels={"k1": "checkout"},
    )
    assert (line.model, line.api_key, line.amount) == ("grok-4", "checkout", Decimal("1.5"))


def test_fireworks_metered_usage() -> None:
    def answer(asked: Asked) -> tuple[int, Any]:
        row = {
            "dimensions": {"startTime": "2026-11-01T00:00:00Z", "model": "m"},
            "promptTokens": "100",
            "completionTokens": 7,
        }
        return 200, {"rows": [row], "nextPageToken": "" if asked.one("pageToken") else "2"}

    lines, asked, _ = read(answer, "fireworks", "billing_usage", one_day(), vendor_account="a")
    assert len(asked) == 2
    assert asked[0].all("groupBy") == ["DAY", "MODEL"]
    assert [(line.input_tokens, line.output_tokens) for line in lines] == [(100, 7), (100, 7)]


@pytest.mark.parametrize(
    ("vendor", "report", "fake"),
    [("mistral", "admin_usage", Mistral), ("together", "billing_usage", Together)],
)
def test_a_window_over_the_end_of_a_month_is_two_months(vendor: str, report: str, fake: Any) -> None:
    vendor_side = fake()
    vendor_side.rows[date(2026, 10, 31)] = vendor_side.rows[FIRST]
    vendor_side.rows[date(2026, 10, 29)] = vendor_side.rows[FIRST]
    lines, _, readings = read(
        vendor_side.answer, vendor, report, Window(date(2026, 10, 30), date(2026, 11, 3))
    )
    assert sorted({line.day for line in lines}) == [date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 2)]
    assert readings[0].days == 4


def test_a_long_period_is_asked_for_in_stretches() -> None:
    def answer(asked: Asked) -> tuple[int, Any]:
        return 200, {"data": [], "has_more": False}

    _, asked, readings = read(answer, "openai", "costs", Window(date(2026, 1, 1), date(2026, 4, 1)))
    assert [reading.days for reading in readings] == [31, 31, 28]
    spans = [(int(one.one("start_time")), int(one.one("end_time"))) for one in asked]
    assert spans[0][1] == spans[1][0]
    assert all(end - start <= 31 * 86400 for start, end in spans)


@pytest.mark.parametrize(
    ("vendor", "report"),
    [
        ("xai", "usage"),
        ("huawei", "show_statistics"),
        ("fireworks", "usage_costs/model"),
        ("tencent", "token_plan"),
        ("openrouter", "generation"),
        ("google", "billing_export"),
    ],
)
def test_an_account_that_lacks_what_its_vendor_wants_is_told(vendor: str, report: str) -> None:
    with pytest.raises(WrongCall) as wrong:
        reports_of(vendor, [report])[0].first(Account(vendor=vendor, name="main"), one_day())
    assert wrong.value.hint

"""Reports from files: Google's export, answers that somebody kept, and the vendors' own examples."""

import csv
import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from producers.bills.exported import read_file, report_to_import
from producers.bills.failures import ReportUnreadable
from producers.bills.poll import ReportReading
from producers.bills.request import Account
from tests.bills.cases import NOW, RATES
from tokenweir.bills import VendorBill
from tokenweir.errors import WrongCall

DAY = date(2026, 10, 1)


def row(**changes: Any) -> dict[str, Any]:
    """A row of Google's export."""
    return {
        "billing_account_id": "012345-ABCDEF-678901",
        "service": {"id": "s", "description": "Vertex AI"},
        "sku": {"id": "k", "description": "Gemini 2.5 Flash Input Tokens"},
        "usage_start_time": "2026-10-01T00:00:00Z",
        "usage_end_time": "2026-10-01T01:00:00Z",
        "project": {"id": "p", "name": "P"},
        "location": {"location": "us-central1"},
        "cost": 0.0475,
        "currency": "USD",
        "currency_conversion_rate": 1.0,
        "usage": {"amount": 1.5, "unit": "count"},
        "credits": [{"id": "c", "full_name": "Free trial", "amount": -0.01}],
        "cost_type": "regular",
        **changes,
    }


def read(
    path: Path, vendor: str = "google", report: str = "", day: date | None = None, **account: Any
) -> ReportReading:
    return read_file(
        path,
        report_to_import(vendor, report),
        Account(vendor=vendor, name="main", **account),
        now=NOW,
        rates=RATES,
        day=day,
    )


def lines(reading: ReportReading) -> list[VendorBill]:
    return [bill for bill in reading.bills if bill.line]


def test_rows_of_google_as_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    rows = [
        row(),
        row(service={"description": "Compute Engine"}),
        row(
            service={"description": "Claude Sonnet 4"},
            credits=[],
            usage_start_time="2026-10-02T00:00:00Z",
            usage_end_time="2026-10-02T01:00:00Z",
            currency="EUR",
            currency_conversion_rate=0.5,
            cost=1,
        ),
        row(cost="a lot"),
        "no object",
    ]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    reading = read(path, labels={"p": "shop"})
    found = [
        (bill.day.day, bill.line_item, bill.amount, bill.amount_usd, bill.project) for bill in lines(reading)
    ]
    assert sorted(found) == [
        (1, "Vertex AI, Gemini 2.5 Flash Input Tokens", Decimal("0.0475"), Decimal("0.0475"), "shop"),
        (1, "credit: Free trial", Decimal("-0.01"), Decimal("-0.01"), "shop"),
        (2, "Claude Sonnet 4, Gemini 2.5 Flash Input Tokens", Decimal(1), Decimal(2), "shop"),
    ]
    assert sorted(one.field for one in reading.rejections) == ["rows.3.cost", "rows.4"]


@pytest.mark.parametrize("separator", [".", "_"])
def test_rows_of_google_as_csv(tmp_path: Path, separator: str) -> None:
    flat: dict[str, Any] = {}
    for name, value in row().items():
        if isinstance(value, dict):
            flat |= {f"{name}{separator}{inner}": text for inner, text in value.items()}
        else:
            flat[name] = json.dumps(value) if isinstance(value, list) else value
    path = tmp_path / "export.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, flat)
        writer.writeheader()
        writer.writerows([flat, {**flat, "credits": ""}])
    found = lines(read(path))
    assert [bill.amount for bill in found] == [Decimal("0.0475"), Decimal("0.0475"), Decimal("-0.01")]
    assert {bill.region for bill in found} == {"us-central1"}
    assert found[0].quantity == Decimal("1.5")


def test_kept_answers_are_read_like_polled_ones(tmp_path: Path) -> None:
    path = tmp_path / "activity.json"
    answer = {
        "data": [{"date": "2026-10-01", "model": "openai/gpt-4.1", "usage": 0.015, "prompt_tokens": 50}]
    }
    path.write_text(json.dumps(answer))
    (bill,) = lines(read(path, "openrouter", "activity"))
    assert (bill.day, bill.amount, bill.input_tokens) == (DAY, Decimal("0.015"), 50)


def test_an_answer_that_does_not_name_its_day_is_told_it(tmp_path: Path) -> None:
    path = tmp_path / "huawei.json"
    path.write_text(
        '{"total_request_count": 5, "total_token": 2, "total_prompt_token": 1.5, "total_completion_token": 0.5}'
    )
    (bill,) = lines(read(path, "huawei", day=DAY))
    assert (bill.day, bill.input_tokens, bill.output_tokens, bill.requests) == (DAY, 1500, 500, 5)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", b"\xff\xfe", "is not UTF-8"),
        ("a.json", b'{"a": 1}\nnonsense', "line 2 is no JSON"),
        ("a.json", b"[" * 100_000, "line 1 is no JSON"),
        ("a.json", b"[1]", "answer 1 is no JSON object"),
        ("a.csv", b'a,b\n"1', "is no CSV"),
    ],
)
def test_files_that_are_none(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(WrongCall, match=said):
        read(path, "openrouter", "activity")


def test_what_is_called_wrongly(tmp_path: Path) -> None:
    with pytest.raises(WrongCall, match="has several reports"):
        report_to_import("openai", "")
    with pytest.raises(WrongCall, match="has no report 'invoices'"):
        report_to_import("openai", "invoices")
    with pytest.raises(WrongCall, match="Did you mean openai"):
        report_to_import("openia", "")
    with pytest.raises(WrongCall, match="cannot be read"):
        read(tmp_path / "missing.json", "openrouter", "activity")
    (tmp_path / "a.json").write_text('{"error": {"message": "canary"}}')
    with pytest.raises(ReportUnreadable, match="data is missing") as unreadable:
        read(tmp_path / "a.json", "openrouter", "activity")
    assert "canary" not in str(unreadable.value)


Check = Callable[[list[VendorBill]], Any]


def _total(name: str) -> Check:
    def add(found: list[VendorBill]) -> Any:
        return sum(getattr(bill, name) or 0 for bill in found)

    return add


SAMPLES: list[Any] = [
    ("openai", "usage/completions", "openai__org_usage_completions", "", "cache_read_tokens", 800),
    ("openai", "costs", "openai__org_costs", "", "amount", Decimal("15.50")),
    ("anthropic", "usage_report/messages", "anthropic__usage_report_messages", "", "input_tokens", 3200),
    ("anthropic", "cost_report", "anthropic__cost_report", "", "amount_usd", Decimal("1.2378912")),
    (
        "anthropic",
        "usage_report/claude_code",
        "anthropic__usage_report_claude_code",
        "",
        "output_tokens",
        18130,
    ),
    ("openrouter", "activity", "openrouter__activity", "", "output_tokens", 125),
    ("openrouter", "generation", "openrouter__generation", "", "input_tokens", 12),
    ("mistral", "admin_usage", "mistral__admin_usage", "", "amount", Decimal("0.02536281")),
    (
        "alibaba",
        "billing_trend/model",
        "alibaba_modelstudio__billing_trend",
        "response",
        "amount",
        Decimal("12.34"),
    ),
    ("volcengine", "get_usage", "volcengine_ark__get_usage", "", "input_tokens", 1529525715),
    ("tencent", "token_plan", "tencent_tokenhub__token_plan_usage_detail", "", "cache_read_tokens", 40),
    ("huawei", "show_statistics", "huawei_maas__show_statistics", "response", "input_tokens", 2456504362),
    ("aws", "cost_and_usage", "aws_cost_explorer__get_cost_and_usage", "", "amount", Decimal("1.2345")),
    ("google", "billing_export", "gcp__billing_export", "", "amount", Decimal("0.0375")),
    ("together", "billing_usage", "together__billing_usage", "", "input_tokens", 1000000),
    (
        "fireworks",
        "usage_costs/model",
        "fireworks__usage_costs_query",
        "response",
        "amount",
        Decimal("12.75"),
    ),
    (
        "tencent",
        "usage_rank/model",
        "tencent_tokenhub__describe_usage_rank_list",
        "response",
        "input_tokens",
        16,
    ),
]


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("vendor", "report", "sample", "part", "field", "expected"), SAMPLES, ids=[one[2] for one in SAMPLES]
)
def test_the_vendors_examples(
    shared_data: Path,
    tmp_path: Path,
    vendor: str,
    report: str,
    sample: str,
    part: str,
    field: str,
    expected: Any,
) -> None:
    raw = json.loads((shared_data / "samples" / f"{sample}.json").read_text(), parse_float=str)["samples"][0][
        "raw"
    ]
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(raw[part] if part else raw))
    reading = read(path, vendor, report, DAY if vendor == "huawei" else None)
    assert reading.rejections == []
    assert _total(field)(lines(reading)) == expected

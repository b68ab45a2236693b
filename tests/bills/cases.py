"""Each vendor's reports with the vendor that answers them, and what a bill has to say of the days 1 to 5 November."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from producers.bills.fetch import Fetcher
from producers.bills.poll import ReportReading, read_report
from producers.bills.registry import Report, reports_of
from producers.bills.request import Account, Credentials, Window
from tests.bills import fake_clouds, fake_vendors
from tests.bills.fake_vendors import DAYS, FIRST, KEY, KEY_ID, Fake
from tests.bills.vendor_server import VendorServer
from tokenweir.bills import VendorBill
from tokenweir.pricing.exchange import ExchangeRate, ExchangeRates

NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
LAST = FIRST + timedelta(days=DAYS)
RATES = ExchangeRates(
    [
        ExchangeRate(
            code, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), picos, NOW, "test"
        )
        for code, picos in (("CNY", 140_000_000_000), ("EUR", 1_100_000_000_000))
    ]
)


@dataclass(frozen=True)
class Case:
    """One report. first_day: what the first line of 1 November says. needed: a field without which a row is refused.

    requests: how many it takes for five days.
    """

    vendor: str
    report: str
    fake: type[Fake]
    first_day: dict[str, Any]
    lines_a_day: int
    requests: int
    needed: str
    account: dict[str, Any] = field(default_factory=dict)
    offset: int = 0

    @property
    def id(self) -> str:
        return f"{self.vendor}-{self.report}"


def tokens(input_tokens: int, output_tokens: int, **more: Any) -> dict[str, Any]:
    return {"input_tokens": input_tokens, "output_tokens": output_tokens, **more}


CASES = [
    Case(
        "openai",
        "usage/completions",
        fake_vendors.OpenAICompletions,
        tokens(
            1000,
            100,
            cache_read_tokens=200,
            cache_write_tokens=50,
            requests=1,
            model="gpt-4o-2024-08-06",
            project="shop",
            api_key="checkout",
            service_tier="standard",
        ),
        1,
        3,
        "input_tokens",
        {"labels": {"proj_1": "shop", "key_1": "checkout"}},
    ),
    Case(
        "openai",
        "costs",
        fake_vendors.OpenAICosts,
        {"amount": Decimal("0.1"), "currency": "USD", "model": "gpt-4o", "line_item": "gpt-4o, input_tokens"},
        2,
        3,
        "amount",
    ),
    Case(
        "anthropic",
        "usage_report/messages",
        fake_vendors.AnthropicUsage,
        tokens(
            3200,
            500,
            cache_read_tokens=200,
            cache_write_tokens=1500,
            quantity=Decimal(10),
            unit="web_searches",
            service_tier="batch",
            project="wrkspc_1",
        ),
        1,
        3,
        "uncached_input_tokens",
    ),
    Case(
        "anthropic",
        "cost_report",
        fake_vendors.AnthropicCost,
        {"amount": Decimal("1.2378912"), "amount_usd": Decimal("1.2378912"), "project": ""},
        1,
        3,
        "amount",
    ),
    Case(
        "anthropic",
        "usage_report/claude_code",
        fake_vendors.ClaudeCode,
        tokens(125, 10, amount=Decimal("1.86"), is_detail=True, line_item="claude_code, api"),
        2,
        10,
        "model_breakdown.0.model",
    ),
    Case(
        "openrouter",
        "activity",
        fake_vendors.OpenRouter,
        {"quantity": Decimal("0.012"), "amount": None, "model": "openai/gpt-4.1-2025-04-14"},
        2,
        5,
        "usage",
    ),
    Case(
        "mistral",
        "admin_usage",
        fake_vendors.Mistral,
        {
            "input_tokens": 1000,
            "amount": Decimal("0.0000765"),
            "currency": "EUR",
            "amount_usd": Decimal("0.00008415"),
            "model": "mistral-small-2506",
        },
        2,
        1,
        "value",
    ),
    Case(
        "xai",
        "usage",
        fake_vendors.XAI,
        {"amount": Decimal("1.25"), "currency": "USD"},
        1,
        1,
        "values",
        {"vendor_account": "team-1"},
    ),
    Case(
        "alibaba",
        "billing_trend/model",
        fake_vendors.Alibaba,
        {
            "amount": Decimal("0.1"),
            "currency": "CNY",
            "amount_usd": Decimal("0.014"),
            "line_item": "all others",
        },
        2,
        1,
        "amount",
        offset=480,
    ),
    Case(
        "volcengine",
        "get_usage",
        fake_clouds.Volcano,
        tokens(1000, 40, model="doubao-seed"),
        2,
        2,
        "Value",
        {"resources": ("ep-1", "ep-2"), "labels": {"ep-1": "doubao-seed"}},
        offset=480,
    ),
    Case(
        "tencent",
        "usage_rank/model",
        fake_clouds.Tencent,
        tokens(100, 7, cache_read_tokens=30, model="hy0"),
        12,
        2,
        "InputTotalToken",
        offset=480,
    ),
    Case(
        "baidu",
        "service_stats",
        fake_clouds.Baidu,
        tokens(500, 20, requests=3, model="ernie-4.5-turbo", api_key="app-1"),
        1,
        5,
        "metrics",
        offset=480,
    ),
    Case(
        "huawei",
        "show_statistics",
        fake_clouds.Huawei,
        tokens(
            1456504, 24872, requests=12, quantity=Decimal(1482980), line_item="preset services, real_time"
        ),
        1,
        30,
        "total_prompt_token",
        {"vendor_account": "project-1"},
        offset=480,
    ),
    Case(
        "aws",
        "cost_and_usage",
        fake_clouds.CostExplorer,
        {"amount": Decimal("0.0000000001"), "model": "Claude Sonnet 4", "unit": "1K tokens"},
        2,
        3,
        "Metrics.UnblendedCost.Amount",
    ),
    Case(
        "together",
        "billing_usage",
        fake_clouds.Together,
        {"amount": Decimal(2), "quantity": Decimal("1.5"), "line_item": "Fine-tuning"},
        2,
        3,
        "cost",
    ),
    Case(
        "fireworks",
        "usage_costs/model",
        fake_clouds.Fireworks,
        {"amount": Decimal("1.5"), "model": "accounts/fireworks/models/llama-v3"},
        2,
        4,
        "subtotal",
        {"vendor_account": "account-1"},
    ),
]


class Reader:
    """Reads a case's report as `weir bills poll` does, without waiting. pauses: how long it would have waited."""

    def __init__(self, case: Case, server: VendorServer, fetcher: Fetcher) -> None:
        self.case = case
        self.report: Report = reports_of(case.vendor, [case.report])[0]
        self.account = Account(
            vendor=case.vendor,
            name="main",
            credentials=Credentials(key=KEY, key_id=KEY_ID),
            base_url=server.url,
            **case.account,
        )
        self._fetcher = fetcher

    def read(self, *, now: datetime = NOW, start: date = FIRST, end: date = LAST) -> ReportReading:
        """The whole of some days, put together."""
        window = Window(start, end, self.report.utc_offset_minutes)
        fetch = partial(
            self._fetcher.fetch,
            sign=self.report.sign,
            credentials=self.account.credentials,
            what="the report",
        )
        whole = ReportReading(self.report.name)
        for reading in read_report(self.report, self.account, window, fetch, now=now, rates=RATES):
            whole.bills += reading.bills
            whole.rejections += reading.rejections
            whole.days += reading.days
            whole.problem = reading.problem or whole.problem
        return whole


def by_day(bills: list[VendorBill]) -> dict[date, list[VendorBill]]:
    """The rows of each day."""
    found: dict[date, list[VendorBill]] = {}
    for bill in bills:
        found.setdefault(bill.day, []).append(bill)
    return found


def matching(bills: list[VendorBill], wanted: dict[str, Any]) -> list[VendorBill]:
    """The lines that say all that is wanted."""
    return [bill for bill in bills if all(getattr(bill, name) == value for name, value in wanted.items())]


def spoil(row: dict[str, Any], path: str) -> None:
    """Takes a field out of a row."""
    *parents, last = path.split(".")
    inner: Any = row
    for name in parents:
        inner = inner[int(name)] if isinstance(inner, list) else inner[name]
    del inner[last]


Make = Callable[[Case], Reader]
__all__ = ["CASES", "Case", "Make", "Reader", "by_day", "matching", "replace", "spoil"]

"""Vendors that answer as their documentation says: their paging, their units, their spelling. Figures are made up.

Each has `rows` by day, which a test may change, drop or spoil. `answer` refuses what the vendor would refuse: a wrong
or missing credential, a missing parameter, an unknown page.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

from tests.bills.vendor_server import Asked

KEY = "made-up-key-0123456789"
KEY_ID = "made-up-key-id"
FIRST = date(2026, 11, 1)
DAYS = 5
REFUSED = (401, {"error": {"message": f"Incorrect API key provided: {KEY}"}})
Row = dict[str, Any]


def days(number: int = DAYS) -> list[date]:
    return [FIRST + timedelta(days=one) for one in range(number)]


def unix(day: date, offset_minutes: int = 0) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) - offset_minutes * 60


class Fake:
    """What all have in common. make: the rows of a day, by its number."""

    make: ClassVar[Callable[[int], list[Row]]]

    def __init__(self) -> None:
        self.rows: dict[date, list[Row]] = {
            day: type(self).make(number) for number, day in enumerate(days(), 1)
        }

    def between(self, start: date, end: date) -> list[date]:
        """The days that were asked for, from a vendor that has some and no others."""
        return [day for day in sorted(self.rows) if start <= day < end]

    def answer(self, asked: Asked) -> tuple[int, Any]:
        raise NotImplementedError


def _has_bearer(asked: Asked) -> bool:
    return asked.headers.get("authorization") == f"Bearer {KEY}"


class _Buckets(Fake):
    """Buckets by day, two a page, the next page named by a token."""

    def page(self, asked: Asked, wanted: list[date], bucket: Callable[[date], Row]) -> tuple[int, Any]:
        token = asked.one("page")
        if token and not token.startswith("page_"):
            return 400, {"error": {"message": "unknown page"}}
        start = int(token.removeprefix("page_") or 0)
        shown = wanted[start : start + 2]
        more = start + 2 < len(wanted)
        return 200, {
            "object": "page",
            "data": [bucket(day) for day in shown],
            "has_more": more,
            "next_page": f"page_{start + 2}" if more else None,
        }


class OpenAI(_Buckets):
    def answer(self, asked: Asked) -> tuple[int, Any]:
        if not _has_bearer(asked):
            return REFUSED
        groups = asked.all("group_by[]")
        if asked.one("bucket_width") != "1d" or not ({"model", "line_item"} & {*groups}):
            return 400, {"error": {"message": "bad parameters"}}
        start, end = (
            datetime.fromtimestamp(int(asked.one(name)), UTC).date() for name in ("start_time", "end_time")
        )
        return self.page(
            asked,
            self.between(start, end),
            lambda day: {
                "object": "bucket",
                "start_time": unix(day),
                "end_time": unix(day) + 86400,
                "results": self.rows[day],
            },
        )


class OpenAICompletions(OpenAI):
    @staticmethod
    def make(number: int) -> list[Row]:
        return [
            {
                "object": "organization.usage.completions.result",
                "input_tokens": 1000 * number,
                "input_cached_tokens": 200,
                "input_cache_write_tokens": 50,
                "output_tokens": 100 * number,
                "num_model_requests": number,
                "project_id": "proj_1",
                "user_id": None,
                "api_key_id": "key_1",
                "model": "gpt-4o-2024-08-06",
                "batch": number == 2,
                "service_tier": "default",
            }
        ]


class OpenAICosts(OpenAI):
    @staticmethod
    def make(number: int) -> list[Row]:
        place = {"object": "organization.costs.result", "project_id": "proj_1", "api_key_id": "key_1"}
        return [
            {
                **place,
                "amount": {"value": 0.1 * number, "currency": "usd"},
                "line_item": "gpt-4o, input_tokens",
            },
            {**place, "amount": {"value": "0.20", "currency": "usd"}, "line_item": "Web search calls"},
        ]


class AnthropicUsage(_Buckets):
    @staticmethod
    def make(number: int) -> list[Row]:
        return [
            {
                "uncached_input_tokens": 1500 * number,
                "cache_read_input_tokens": 200,
                "cache_creation": {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 500},
                "output_tokens": 500,
                "server_tool_use": {"web_search_requests": 10},
                "model": "claude-sonnet-4-20250514",
                "service_tier": "batch",
                "api_key_id": "apikey_1",
                "workspace_id": "wrkspc_1",
                "inference_geo": "not_available",
            }
        ]

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.headers.get("x-api-key") != KEY or not asked.headers.get("anthropic-version"):
            return REFUSED
        start, end = (datetime.fromisoformat(asked.one(name)).date() for name in ("starting_at", "ending_at"))
        return self.page(
            asked,
            self.between(start, end),
            lambda day: {
                "starting_at": f"{day}T00:00:00Z",
                "ending_at": f"{day + timedelta(days=1)}T00:00:00Z",
                "results": self.rows[day],
            },
        )


class AnthropicCost(AnthropicUsage):
    @staticmethod
    def make(number: int) -> list[Row]:
        return [
            {
                "currency": "USD",
                "amount": f"{number}23.78912",
                "description": "Claude Sonnet 4 Usage - Input Tokens",
                "cost_type": "tokens",
                "model": "claude-sonnet-4-20250514",
                "service_tier": "standard",
                "workspace_id": None,
            }
        ]


class ClaudeCode(Fake):
    """One day a request, one person a page."""

    @staticmethod
    def make(number: int) -> list[Row]:
        tokens = {"input": 100, "output": 10 * number, "cache_read": 20, "cache_creation": 5}
        return [
            {
                "date": None,
                "actor": {"type": "user_actor", "email_address": f"person-{person}@example.com"},
                "customer_type": "api",
                "model_breakdown": [
                    {
                        "model": "claude-opus-5",
                        "tokens": tokens,
                        "estimated_cost": {"amount": 186, "currency": "USD"},
                    }
                ],
            }
            for person in (1, 2)
        ]

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.headers.get("x-api-key") != KEY:
            return REFUSED
        day = date.fromisoformat(asked.one("starting_at"))
        rows = [{**row, "date": f"{day}T00:00:00Z"} for row in self.rows.get(day, [])]
        start = int(asked.one("page", "page_0").removeprefix("page_"))
        more = start + 1 < len(rows)
        return 200, {
            "data": rows[start : start + 1],
            "has_more": more,
            "next_page": f"page_{start + 1}" if more else None,
        }


class OpenRouter(Fake):
    @staticmethod
    def make(number: int) -> list[Row]:
        return [
            {
                "date": None,
                "model": "openai/gpt-4.1",
                "model_permaslug": "openai/gpt-4.1-2025-04-14",
                "endpoint_id": "e",
                "provider_name": "OpenAI",
                "usage": 0.015 * number,
                "byok_usage_inference": 0.012,
                "requests": 5,
                "prompt_tokens": 50,
                "completion_tokens": 125,
                "reasoning_tokens": 25,
                "cached_tokens": 0,
            }
        ]

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if not _has_bearer(asked):
            return REFUSED
        if asked.path == "/api/v1/credits":
            return 200, {"data": {"total_credits": 100.5, "total_usage": 25.75}}
        day = date.fromisoformat(asked.one("date"))
        return 200, {"data": [{**row, "date": str(day)} for row in self.rows.get(day, [])]}


class Mistral(Fake):
    """A month at a time, in euros."""

    @staticmethod
    def make(number: int) -> list[Row]:
        common = {"usage_type": "usage", "event_type": "api_tokens", "billing_metric": "mistral-small-2506"}
        return [
            {**common, "billing_group": "input", "value": 1000 * number, "value_paid": 900 * number},
            {**common, "billing_group": "output", "value": 200, "value_paid": 200},
        ]

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.headers.get("x-api-key") != KEY:
            return REFUSED
        month = int(asked.one("year")), int(asked.one("month"))
        groups: dict[str, list[Row]] = {}
        for day, rows in sorted(self.rows.items()):
            if (day.year, day.month) == month:
                for row in rows:
                    groups.setdefault(row["billing_group"], []).append({"timestamp": str(day), **row})
        price = {"event_type": "api_tokens", "billing_metric": "mistral-small-2506"}
        return 200, {
            "completion": {"models": {"mistral-small-latest::mistral-small-2506": groups}},
            "libraries_api": {"pages": {"models": {}}, "tokens": {"models": {}}},
            "vibe_usage": 0.0,
            "currency": "EUR",
            "prices": [
                {**price, "billing_group": "input", "price": "8.50E-8"},
                {**price, "billing_group": "output", "price": "2.550E-7"},
            ],
        }


class XAI(Fake):
    @staticmethod
    def make(number: int) -> list[Row]:
        return [{"values": [1.25 * number]}]

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if not _has_bearer(asked):
            return REFUSED
        if asked.path != "/v1/billing/teams/team-1/usage":
            return 404, {"code": 5, "message": "no such team"}
        period = asked.json["analyticsRequest"]["timeRange"]
        start, end = (datetime.fromisoformat(period[name]).date() for name in ("startTime", "endTime"))
        points = [
            {"timestamp": f"{day}T00:00:00Z", **row}
            for day in self.between(start, end)
            for row in self.rows[day]
        ]
        return 200, {"timeSeries": [{"dataPoints": points}], "limitReached": False}


class Alibaba(Fake):
    @staticmethod
    def make(number: int) -> list[Row]:
        return [
            {"key": "qwen-plus", "name": "qwen-plus", "amount": f"{number}.34", "taxAmount": "0"},
            {"key": "DIMENSION_GROUP_OTHERS_VALUE", "name": "Others", "amount": "0.10"},
        ]

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if not asked.headers.get("authorization", "").startswith(f"ACS3-HMAC-SHA256 Credential={KEY_ID},"):
            return REFUSED
        groups = json.loads(asked.one("groupBy"))
        if len(groups) != 1:
            return 400, {"success": False, "code": "InvalidParameter"}
        period = json.loads(asked.one("timePeriod"))
        start = date.fromisoformat(period["start"])
        end = date.fromisoformat(period["end"]) + timedelta(days=1)
        return 200, {
            "success": True,
            "data": {
                "costTotals": {"amount": "9", "currency": "CNY"},
                "resultByTime": [
                    {
                        "period": day.strftime("%Y%m%d"),
                        "total": {"amount": "9", "currency": "CNY"},
                        "periodDetails": self.rows[day],
                    }
                    for day in self.between(start, end)
                ],
            },
        }

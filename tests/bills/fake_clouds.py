"""More vendors that answer as their documentation says: the clouds, and hosts of open models. Figures are made up."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.bills.fake_vendors import KEY, KEY_ID, REFUSED, Fake, Row, _has_bearer, unix
from tests.bills.vendor_server import Asked

BEIJING = 480


def beijing_day(seconds: float) -> date:
    return (datetime.fromtimestamp(seconds, UTC) + timedelta(minutes=BEIJING)).date()


def signed(asked: Asked, algorithm: str) -> bool:
    """Whether the request bears a signature of this kind, by this key's id; the signatures themselves have tests of
    their own."""
    value = asked.headers.get("authorization", "")
    return value.startswith(algorithm) and KEY_ID in value and KEY not in value


class Volcano(Fake):
    """Days of Beijing; an endpoint at a time."""

    @staticmethod
    def make(number: int) -> list[Row]:
        return [
            {"Name": "PromptTokens", "Value": 1000 * number},
            {"Name": "CompletionTokens", "Value": 40},
        ]

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if not signed(asked, "HMAC-SHA256"):
            return 401, {"ResponseMetadata": {"Error": {"Code": "SignatureDoesNotMatch"}}}
        body = asked.json
        if asked.one("Action") != "GetUsage" or len(body["EndpointIds"]) != 1:
            return 400, {"ResponseMetadata": {"Error": {"Code": "InvalidParameter"}}}
        start, last = beijing_day(body["StartTime"]), beijing_day(body["EndTime"])
        share = 1 if body["EndpointIds"] == ["ep-1"] else 2
        metrics: dict[str, list[Row]] = {}
        for day in self.between(start, last + timedelta(days=1)):
            for row in self.rows[day]:
                point = {"Timestamp": unix(day, BEIJING)}
                if "Value" in row:
                    value = row["Value"]
                    point["Value"] = value * share if isinstance(value, int) else value
                metrics.setdefault(row["Name"], []).append(point)
        return 200, {
            "ResponseMetadata": {"RequestId": "r"},
            "Result": {
                "UsageResults": [
                    {"Name": name, "MetricItems": [{"Values": points}]} for name, points in metrics.items()
                ]
            },
        }


class Tencent(Fake):
    """Twelve models, ten a page; a series for each, as an array in a string."""

    @staticmethod
    def make(number: int) -> list[Row]:
        return [
            {
                "Key": f"hy{model}",
                "InputTotalToken": 100 * number,
                "CacheTotalToken": 30,
                "OutputTotalToken": 7,
            }
            for model in range(12)
        ]

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if not signed(asked, "TC3-HMAC-SHA256"):
            return 200, {"Response": {"Error": {"Code": "AuthFailure"}, "RequestId": "r"}}
        body = asked.json
        if asked.headers["x-tc-action"] != "DescribeUsageRankList" or body["Period"] != 86400:
            return 200, {"Response": {"Error": {"Code": "InvalidParameter"}, "RequestId": "r"}}
        start, end = (datetime.fromisoformat(body[name]).date() for name in ("StartTime", "EndTime"))
        wanted = self.between(start, end)
        names = sorted({row["Key"] for day in wanted for row in self.rows[day]})
        shown = names[body["Offset"] : body["Offset"] + 10]
        return 200, {
            "Response": {
                "Dimension": body["Dimension"],
                "Timestamps": [unix(day, BEIJING) for day in wanted],
                "Total": len(names),
                "Offset": body["Offset"],
                "Limit": 10,
                "TopList": [self._object(name, wanted) for name in shown],
                "RequestId": "r",
            }
        }

    def _object(self, name: str, wanted: list[date]) -> Row:
        by_day = {day: next((row for row in self.rows[day] if row["Key"] == name), {}) for day in wanted}
        kinds = [
            kind
            for kind in ("InputTotalToken", "CacheTotalToken", "OutputTotalToken")
            if any(kind in row for row in by_day.values())
        ]
        return {
            "Key": name,
            "Name": name,
            "Series": {
                kind: json.dumps([by_day[day].get(kind) for day in wanted], separators=(",", ":"))
                for kind in kinds
            },
        }


class Baidu(Fake):
    """One day a request, by Beijing's days in UTC."""

    @staticmethod
    def make(number: int) -> list[Row]:
        return [
            {"appId": "app-1", "metrics": [{"inputTokens": 500 * number, "outputTokens": 20, "callCount": 3}]}
        ]

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if not signed(asked, "bce-auth-v1/"):
            return REFUSED
        body = asked.json
        day = beijing_day(datetime.fromisoformat(body["startTime"]).timestamp())
        if beijing_day(datetime.fromisoformat(body["endTime"]).timestamp()) != day:
            return 504, {"message": "the interface answers within five seconds or not"}
        service = {"serviceId": "svc-1", "serviceName": "ernie-4.5-turbo", "appList": self.rows.get(day, [])}
        return 200, {"requestId": "r", "result": {"serviceList": [service]}}


class Huawei(Fake):
    """One kind of service and inference of one day a request, in thousands of tokens."""

    @staticmethod
    def make(number: int) -> list[Row]:
        return [
            {
                "total_request_count": 12,
                "total_error_count": 1,
                "total_token": 1482.98 * number,
                "total_prompt_token": 1456.504 * number,
                "total_completion_token": 24.872,
            }
        ]

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if not signed(asked, "SDK-HMAC-SHA256"):
            return REFUSED
        body = asked.json
        if asked.path != "/v1/project-1/maas/monitoring/show-statistics":
            return 404, {"error_code": "ModelArts.0404"}
        rows = self.rows.get(beijing_day(body["start_time"] / 1000), [])
        if body["service_type"] == 2 and body["infer_type"] == "real_time" and rows:
            return 200, rows[0]
        return 200, {
            "total_request_count": 0,
            "total_token": 0,
            "total_prompt_token": 0,
            "total_completion_token": 0,
        }


class CostExplorer(Fake):
    """Two days a page; all services of the account, of which Bedrock's are wanted."""

    @staticmethod
    def make(number: int) -> list[Row]:
        def group(service: str, usage_type: str, amount: str) -> Row:
            cost = {"Amount": amount, "Unit": "USD"}
            return {
                "Keys": [service, usage_type],
                "Metrics": {"UnblendedCost": cost, "UsageQuantity": {"Amount": "12.5", "Unit": "1K tokens"}},
            }

        return [
            group("Amazon Bedrock", "USE1-input-tokens", f"{number}.2345"),
            group("Claude Sonnet 4 (Amazon Bedrock Edition)", "USE1-output", "0.0000000001"),
            group("Amazon Elastic Compute Cloud", "BoxUsage", "99"),
        ]

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if not signed(asked, "AWS4-HMAC-SHA256"):
            return 400, {"__type": "UnrecognizedClientException"}
        if asked.headers["x-amz-target"] != "AWSInsightsIndexService.GetCostAndUsage":
            return 400, {"__type": "UnknownOperationException"}
        body = asked.json
        start, end = (date.fromisoformat(body["TimePeriod"][name]) for name in ("Start", "End"))
        wanted = self.between(start, end)
        offset = int(body.get("NextPageToken", 0))
        token = str(offset + 2) if offset + 2 < len(wanted) else None
        return 200, {
            "ResultsByTime": [
                {
                    "TimePeriod": {"Start": str(day), "End": str(day + timedelta(days=1))},
                    "Groups": self.rows[day],
                    "Estimated": day == max(self.rows),
                }
                for day in wanted[offset : offset + 2]
            ],
            **({"NextPageToken": token} if token else {}),
        }


class Together(Fake):
    """A month at a time, two days a page, up to yesterday."""

    latest = "2026-11-06T00:00:00Z"

    @staticmethod
    def make(number: int) -> list[Row]:
        common = {"attributes": {}, "pricing_dimensions": {"model": "meta-llama/Llama-3.3-70B"}}
        return [
            {
                "product_name": "Serverless Inference - Input Tokens",
                "quantity": f"{number}000",
                "cost": "0.88",
                **common,
            },
            {"product_name": "Fine-tuning", "quantity": "1.5", "cost": "2", **common},
        ]

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if not _has_bearer(asked):
            return REFUSED
        wanted = [day for day in sorted(self.rows) if f"{day:%Y-%m}" == asked.one("month")]
        offset = int(asked.one("after", "0"))
        cursor = str(offset + 2) if offset + 2 < len(wanted) else None
        return 200, {
            "object": "list",
            "currency": "USD",
            "latest_window_end": self.latest,
            "next_cursor": cursor,
            "data": [
                {
                    "date": str(day),
                    "start_time": f"{day}T00:00:00Z",
                    "end_time": f"{day + timedelta(days=1)}T00:00:00Z",
                    "line_items": self.rows[day],
                }
                for day in wanted[offset : offset + 2]
            ],
        }


class Fireworks(Fake):
    """Three rows a page; money as units and billionths."""

    @staticmethod
    def make(number: int) -> list[Row]:
        return [
            {
                "dimensions": {"model": "accounts/fireworks/models/llama-v3"},
                "subtotal": {"currencyCode": "USD", "units": str(number), "nanos": 500000000},
            },
            {"dimensions": {}, "subtotal": {"currencyCode": "USD", "units": "0", "nanos": 250000000}},
        ]

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if not _has_bearer(asked):
            return REFUSED
        if asked.path != "/v1/accounts/account-1/usageCosts:query":
            return 404, {"message": "no such account"}
        body = asked.json
        start, end = (datetime.fromisoformat(body[name]).date() for name in ("startTime", "endTime"))
        rows = [
            {**row, "dimensions": {"startTime": f"{day}T00:00:00Z", **row["dimensions"]}}
            for day in self.between(start, end)
            for row in self.rows[day]
        ]
        offset = int(body.get("pageToken", 0))
        token = str(offset + 3) if offset + 3 < len(rows) else ""
        return 200, {"rows": rows[offset : offset + 3], "nextPageToken": token}

"""A month with five known discrepancies: events through the meter, bills from a vendor that answers as OpenAI does, and
`weir reconcile` names the five and nothing else."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from tests.bills.fake_vendors import KEY, Row, unix
from tests.bills.vendor_server import Asked, VendorServer
from tests.end_to_end.commands import weir, weir_json
from tokenweir.cli.root import run

_PRICES: Final = {
    "gpt-4o-2024-08-06": (Decimal("2.5"), Decimal(10)),
    "gpt-4o-mini-2024-07-18": (Decimal("0.15"), Decimal("0.6")),
}
_MILLION: Final = Decimal(1_000_000)
_PERIOD: Final = ("--since", "2026-10-01", "--until", "2026-11-01")


@dataclass(frozen=True)
class Call:
    """A call as it truly was."""

    number: int
    time: datetime
    model: str
    key: str
    input_tokens: int
    output_tokens: int

    @property
    def billed_on(self) -> date:
        """The vendor's clock is an hour ahead on the evening of the 10th."""
        late = self.key == "search" and self.time.date() == date(2026, 10, 10) and self.time.hour == 23
        return self.time.date() + timedelta(days=1 if late else 0)

    def cost(self, tokens: int, price: Decimal) -> Decimal:
        """What the vendor asks; half of it for the nightly batches."""
        return tokens * price / _MILLION * (Decimal("0.5") if self.key == "nightly" else 1)


def calls() -> Iterator[Call]:
    """Three a day of each model and key, no two alike."""
    number = 0
    for day in range(1, 32):
        for model in _PRICES:
            for key in ("checkout", "search", "nightly", "shadow"):
                if (key == "shadow" and "mini" not in model) or (key == "nightly" and "mini" in model):
                    continue
                for hour in (3, 14, 23):
                    number += 1
                    yield Call(
                        number,
                        datetime(2026, 10, day, hour, 30, tzinfo=UTC),
                        model,
                        key,
                        10_000 + 37 * number % 5_003,
                        900 + 11 * number % 503,
                    )


def event(call: Call, number: str) -> dict[str, Any]:
    return {
        "id": f"openai:{number}",
        "source": "test",
        "time": call.time.isoformat(),
        "vendor": "openai",
        "model": call.model,
        "api_key": call.key,
        "input_tokens": call.input_tokens,
        "output_tokens": call.output_tokens,
    }


def metered(call: Call) -> Iterator[dict[str, Any]]:
    """What the company's own reporters say: nothing of one key, and one day of another twice under two names."""
    if call.key == "shadow":
        return
    yield event(call, f"chatcmpl-{call.number}")
    if call.key == "checkout" and call.time.date() == date(2026, 10, 15):
        yield event(call, f"gateway-{call.number}")


class OctoberOpenAI:
    """OpenAI's reports of the month."""

    def __init__(self) -> None:
        self.usage: dict[date, list[Row]] = defaultdict(list)
        self.costs: dict[date, list[Row]] = defaultdict(list)
        sums: dict[tuple[date, str, str], list[Call]] = defaultdict(list)
        for call in calls():
            sums[call.billed_on, call.model, call.key].append(call)
        for (day, model, key), found in sums.items():
            self.usage[day].append(
                {
                    "input_tokens": sum(call.input_tokens for call in found),
                    "output_tokens": sum(call.output_tokens for call in found),
                    "num_model_requests": len(found),
                    "api_key_id": f"key_{key}",
                    "model": model,
                }
            )
            name = model.rsplit("-", 3)[0]
            for kind, price in zip(("input", "output"), _PRICES[model], strict=True):
                cost = sum((call.cost(getattr(call, f"{kind}_tokens"), price) for call in found), Decimal(0))
                self.costs[day].append(
                    {
                        "amount": {"value": str(cost), "currency": "usd"},
                        "line_item": f"{name}, {kind}",
                        "api_key_id": f"key_{key}",
                    }
                )
        for day in (date(2026, 10, 7), date(2026, 10, 21)):
            self.costs[day].append(
                {"amount": {"value": "6.25", "currency": "usd"}, "line_item": "Web search calls"}
            )

    def answer(self, asked: Asked) -> tuple[int, Any]:
        rows = self.costs if asked.path.endswith("costs") else self.usage
        start = datetime.fromtimestamp(int(asked.one("start_time")), UTC).date()
        offset = int(asked.one("page", "0"))
        wanted = [start + timedelta(days=number) for number in range(31)][offset : offset + 7]
        more = offset + 7 < 31
        return 200, {
            "data": [
                {"start_time": unix(day), "end_time": unix(day) + 86400, "results": rows[day]}
                for day in wanted
            ],
            "has_more": more,
            "next_page": str(offset + 7) if more else None,
        }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a ledger in it that holds both sides."""
    place = tmp_path_factory.mktemp("october")
    events = [one for call in calls() for one in metered(call)]
    (place / "events.ndjson").write_text("".join(json.dumps(one) + "\n" for one in events))
    with VendorServer(OctoberOpenAI().answer) as server:
        (place / "tokenweir.toml").write_text(
            f"""
[local]
data_dir = "ledger"
[bills.main]
vendor = "openai"
base_url = "{server.url}"
reports = ["usage/completions", "costs"]
[bills.main.labels]
key_checkout = "checkout"
key_search = "search"
key_nightly = "nightly"
key_shadow = "shadow"
"""
        )
        weir("ingest", "events.ndjson", cwd=place)
        weir("bills", "poll", *_PERIOD, cwd=place, extra={"TOKENWEIR_BILLS__MAIN__KEY": KEY})
    return place


def test_the_five_are_named_and_nothing_else(folder: Path) -> None:
    (openai,) = weir_json("reconcile", *_PERIOD, "--by", "day,model,api_key", "--json", cwd=folder)["vendors"]
    found = {
        (one["reason"], one["model"], one["api_key"]): (one["days"][0], one["days"][-1], len(one["days"]))
        for one in openai["findings"]
    }
    assert found == {
        ("not_metered", "", "shadow"): ("2026-10-01", "2026-10-31", 31),
        ("price_difference", "gpt-4o", "nightly"): ("2026-10-01", "2026-10-31", 31),
        ("day_shift", "gpt-4o", "search"): ("2026-10-10", "2026-10-11", 2),
        ("day_shift", "gpt-4o-mini", "search"): ("2026-10-10", "2026-10-11", 2),
        ("counted_twice", "gpt-4o", "checkout"): ("2026-10-15", "2026-10-15", 1),
        ("counted_twice", "gpt-4o-mini", "checkout"): ("2026-10-15", "2026-10-15", 1),
        ("outside_ledger", "", ""): ("2026-10-07", "2026-10-21", 2),
    }
    by_reason = {one["reason"]: one for one in openai["findings"]}
    assert by_reason["price_difference"]["evidence"] == {"bill_over_ledger": "0.5"}
    assert "batch" in by_reason["price_difference"]["sentence"]
    assert by_reason["outside_ledger"]["cost_usd"] == "-12.5"
    shadow = [call for call in calls() if call.key == "shadow"]
    missing = sum(call.input_tokens + call.output_tokens for call in shadow)
    assert by_reason["not_metered"]["tokens"] == -missing
    billed = sum(call.input_tokens + call.output_tokens for call in calls())
    assert openai["billed_tokens"] == billed
    assert Decimal(openai["tokens_coverage"]) == round(Decimal(billed - missing) / billed, 4)
    assert Decimal(openai["cost_coverage"]) < 1


def test_drift_adds_up_to_the_totals(folder: Path) -> None:
    (openai,) = weir_json("reconcile", *_PERIOD, "--by", "api_key", "--json", cwd=folder)["vendors"]
    drift = openai["drift"]
    assert {row["api_key"] for row in drift if row["billed_tokens"]} == {
        "checkout",
        "search",
        "nightly",
        "shadow",
    }
    assert sum(row["billed_tokens"] or 0 for row in drift) == openai["billed_tokens"]
    assert sum(row["metered_tokens"] or 0 for row in drift) == openai["metered_tokens"]
    assert sum(Decimal(row["metered_usd"] or 0) for row in drift) == Decimal(openai["metered_usd"])


def test_a_person_reads_the_same(folder: Path) -> None:
    shown = weir("reconcile", *_PERIOD, "--vendor", "openai", cwd=folder).stdout.decode()
    for words in (
        "not_metered",
        "shadow",
        "counted_twice",
        "day_shift",
        "Web search calls",
        "the ledger knows 8",
    ):
        assert words in shown


def test_what_cannot_be_compared_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["reconcile", "--by", "team"]) == 2
    assert "not compared by 'team'" in capsys.readouterr().err
    assert run(["reconcile"]) == 2
    assert "there is no ledger" in capsys.readouterr().err

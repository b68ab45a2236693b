"""Each rule over rows of an embedded ledger: when it is an alert, and when it is none."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboards.alerts.groups import PIPELINE
from dashboards.alerts.registry import rules
from dashboards.alerts.rule import AlertRule
from dashboards.grafana import alerting
from dashboards.panels.template import fill
from streams.detectors.registry import registered
from tests.grafana.schemas import Schemas
from tests.panels.month import DATABASE, PanelLedger
from tests.panels.saying import said

ROOT = Path(__file__).parents[2]
RULES = {rule.name: rule for rule in rules()}
EACH = [pytest.param(rule, id=rule.name) for rule in rules()]
OF_KIND = {
    "cost-spike": "cost_spike",
    "price-move": "price_move",
    **{
        name: name
        for name in (
            "budget",
            "errors",
            "latency",
            "migration",
            "notification",
            "rejects",
            "retirement",
            "unpriced",
        )
    },
}
# Each test has a stretch of time of its own in the one ledger, later than those before it, as rules look back.
_AN_HOUR = timedelta(hours=1)


async def alerts(ledger: PanelLedger, name: str, now: datetime) -> list[dict[str, Any]]:
    """The rows of a rule that are alerts at `now`, as Grafana evaluates them: the last column is the number."""
    rule = RULES[name]
    sql = fill(rule.sql, {"ledger": DATABASE}).replace(
        "now('UTC')", f"toDateTime({int(now.timestamp())}, 'UTC')"
    )
    found = []
    for row in await ledger.reader.rows(sql, {}):
        *texts, number = row
        assert all(isinstance(row[text], str) for text in texts)
        row[number] = float(row[number])
        if row[number] > rule.above:
            found.append(row)
    return found


def store(
    ledger: PanelLedger,
    times: Sequence[datetime],
    *,
    metered_after: timedelta = timedelta(),
    cost: str | None = "0.1",
) -> None:
    """Calls that ended at `times`."""
    lines = [
        json.dumps(
            {
                "id": f"rule:{time.isoformat()}:{number}:{metered_after}",
                "source": "rule",
                "time": time.isoformat(),
                "tenant": "default",
                "vendor": "openai",
                "model": "gpt-4o",
                "input_tokens": 10,
                "output_tokens": 10,
                "status": "ok",
                "cost": cost,
                "list_cost": cost,
                "currency": "USD",
                "price_status": "unpriced" if cost is None else "list",
                "metered_at": (time + metered_after).isoformat(),
                "version": 1,
            }
        )
        for number, time in enumerate(times)
    ]
    ledger.ledger.write_events("\n".join(lines).encode(), f"{times[0]}/{metered_after}/{cost}")


@pytest.mark.parametrize("name", sorted(OF_KIND))
async def test_an_open_warning_of_the_kind_is_an_alert(empty_ledger: PanelLedger, name: str) -> None:
    now, kind = datetime(2026, 11, 20, tzinfo=UTC), OF_KIND[name]
    open_one = said(f"{kind}:a@1", "open", now, kind=kind, scope={"team": "search"}, usd_per_day="12.5")
    empty_ledger.signals(
        [
            open_one,
            said(f"{kind}:b@1", "open", now, kind=kind, severity="info"),
            said(f"{kind}:c@1", "open", now, kind=kind),
            said(f"{kind}:c@1", "resolved", now + timedelta(minutes=9), number=1, kind=kind),
            said(f"{kind}:d@1", "open", now, kind=kind).model_copy(update={"muted_until": now + _AN_HOUR}),
            said(f"{kind}:e@1", "open", now, kind=kind, usd_per_day=None),
        ]
    )
    found = await alerts(empty_ledger, name, now)
    assert [(row["incident"], row["about"], row["usd_per_day"]) for row in found] == [
        (f"{kind}:a@1", "team=search tenant=default", 12.5),
        (f"{kind}:e@1", "tenant=default", 0.0),
    ]
    later = await alerts(empty_ledger, name, now + 2 * _AN_HOUR)
    assert f"{kind}:d@1" in [row["incident"] for row in later]


async def test_what_happens_in_one_moment_is_an_alert_for_a_day(empty_ledger: PanelLedger) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    moved = said("price_move:m@1", "open", now, kind="price_move")
    over = said("price_move:m@1", "resolved", now, number=1, kind="price_move")
    empty_ledger.signals([moved, over])
    for hours, expected in ((1, True), (23, True), (25, False)):
        found = await alerts(empty_ledger, "price-move", now + hours * _AN_HOUR)
        assert ("price_move:m@1" in [row["incident"] for row in found]) is expected


async def test_what_is_critical_is_one_alert_of_any_kind(empty_ledger: PanelLedger) -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    empty_ledger.signals([said("errors:x@1", "open", now, kind="errors", severity="critical")])
    assert [row["incident"] for row in await alerts(empty_ledger, "critical-signal", now)] == ["errors:x@1"]
    assert "errors:x@1" not in [row["incident"] for row in await alerts(empty_ledger, "errors", now)]


async def test_silence_is_an_alert_only_where_there_usually_is_usage(empty_ledger: PanelLedger) -> None:
    now = datetime(2026, 5, 20, 12, tzinfo=UTC)
    assert await alerts(empty_ledger, "pipeline-silent", now) == []
    yesterday = now - timedelta(days=1, minutes=5)
    store(empty_ledger, [yesterday] * 10)
    assert len(await alerts(empty_ledger, "pipeline-silent", now)) == 1
    store(empty_ledger, [now - timedelta(minutes=3)])
    assert await alerts(empty_ledger, "pipeline-silent", now) == []


async def test_silence_at_a_time_of_the_week_that_is_quiet_is_none(empty_ledger: PanelLedger) -> None:
    now = datetime(2026, 7, 21, 12, tzinfo=UTC)
    store(empty_ledger, [now - timedelta(days=1, minutes=5)] * 10)
    store(empty_ledger, [now - timedelta(days=9)])
    assert await alerts(empty_ledger, "pipeline-silent", now) == []
    store(empty_ledger, [now - timedelta(days=7, minutes=5)] * 10)
    assert len(await alerts(empty_ledger, "pipeline-silent", now)) == 1


async def test_calls_that_are_metered_late_mean_that_the_pipeline_is_behind(
    empty_ledger: PanelLedger,
) -> None:
    now = datetime(2026, 8, 20, 12, tzinfo=UTC)
    late, soon = timedelta(minutes=20), timedelta(seconds=2)
    store(empty_ledger, [now - late - timedelta(minutes=1)] * 19, metered_after=late)
    assert await alerts(empty_ledger, "pipeline-behind", now) == []
    store(empty_ledger, [now - late - timedelta(minutes=2)] * 19, metered_after=late)
    (row,) = await alerts(empty_ledger, "pipeline-behind", now)
    assert row["behind_seconds"] == 1200
    store(empty_ledger, [now - timedelta(minutes=1)] * 100, metered_after=soon)
    assert await alerts(empty_ledger, "pipeline-behind", now) == []


async def test_a_share_without_a_price_is_an_alert(empty_ledger: PanelLedger) -> None:
    now = datetime(2026, 9, 20, 12, tzinfo=UTC)
    store(empty_ledger, [now - _AN_HOUR] * 95)
    store(empty_ledger, [now - 2 * _AN_HOUR] * 5, cost=None)
    assert await alerts(empty_ledger, "unpriced-share", now) == []
    store(empty_ledger, [now - 3 * _AN_HOUR], cost=None)
    assert len(await alerts(empty_ledger, "unpriced-share", now)) == 1


async def test_a_share_that_is_refused_is_an_alert(empty_ledger: PanelLedger) -> None:
    now = datetime(2026, 10, 20, 12, tzinfo=UTC)
    store(empty_ledger, [now - timedelta(minutes=10)] * 800)
    refuse(empty_ledger, now - timedelta(minutes=5), range(9))
    assert await alerts(empty_ledger, "rejected-share", now) == []
    refuse(empty_ledger, now - timedelta(minutes=5), range(9, 10))
    (row,) = await alerts(empty_ledger, "rejected-share", now)
    assert row["share"] == pytest.approx(10 / 810)


def refuse(ledger: PanelLedger, at: datetime, numbers: range) -> None:
    """Pieces that were refused at that time."""
    lines = [
        json.dumps(
            {
                "id": f"rule/{number}",
                "rejected_at": at.isoformat(),
                "stage": "meter",
                "reason": "malformed",
                "detail": "no JSON",
                "topic": "usage",
                "size_bytes": 3,
                "payload": "{",
                "truncated": False,
            }
        )
        for number in numbers
    ]
    ledger.ledger.write_rejections("\n".join(lines).encode(), f"{at}/{numbers}")


def test_every_kind_of_signal_has_a_rule() -> None:
    assert {getattr(make, "kind", None) for make in registered()} <= set(OF_KIND.values())


@pytest.mark.parametrize("rule", EACH)
def test_a_rule_says_what_a_person_needs(rule: AlertRule) -> None:
    runbook = ROOT / "docs" / "runbooks" / rule.runbook
    text = runbook.read_text(encoding="utf-8")
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == [
        "## What it means",
        "## How bad it is",
        "## First look",
        "## What to do",
        "## When it is over",
    ]
    assert text.startswith(f"# {rule.title}\n")
    assert rule.severity in text
    made = alerting.api_rule(rule)
    assert made["annotations"]["runbook_url"] == f"docs/runbooks/{rule.runbook}"
    assert (ROOT / made["annotations"]["runbook_url"]).exists()
    assert len(made["uid"]) <= 40
    assert rule.summary
    assert rule.description.endswith(".")


def test_no_runbook_is_without_a_rule() -> None:
    pages = {page.name for page in (ROOT / "docs" / "runbooks").glob("*.md")}
    assert pages == {rule.runbook for rule in rules()}


def test_only_one_rule_tells_of_a_ledger_that_is_away() -> None:
    assert [rule.name for rule in rules() if rule.error != "KeepLast"] == ["pipeline-silent"]


@pytest.mark.parametrize(
    ("change", "said_of_it"),
    [
        ({"name": "Not_so"}, "lower case"),
        ({"sql": "SELECT 1"}, "@ledger"),
        ({"summary": "{{ $labels.x }}"}, "dollar"),
        ({"pending_seconds": 90}, "whole number"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(change: dict[str, Any], said_of_it: str) -> None:
    good = {**vars(RULES["pipeline-silent"]), "group": PIPELINE}
    with pytest.raises(ValueError, match=said_of_it):
        AlertRule(**{**good, **change})


def test_files_have_no_variable_but_the_addresses() -> None:
    for document in (alerting.rules_file(), alerting.contact_points_file(), alerting.templates_file()):
        text = json.dumps(document)
        assert text.replace(alerting.ADDRESSES_VARIABLE, "").count("$") == 0


@pytest.mark.shared_data
def test_rules_fit_the_published_schema(shared_data: Path) -> None:
    schemas = Schemas(shared_data / "grafana")
    for group, found in alerting.rule_groups():
        schemas.check_alerting("RuleGroup", alerting.api_rule_group(group, found))
    schemas.check_alerting("ContactPoint", alerting.contact_point("a@example.com"))

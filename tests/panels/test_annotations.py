"""Signals as annotations: which incidents of a period, from when until when."""

from datetime import timedelta

from dashboards.panels.annotations import ANNOTATIONS
from dashboards.panels.question import Choice
from dashboards.period import rolling_period
from tests.panels.month import PanelLedger
from tests.panels.saying import NOW, said


async def test_an_incident_stands_from_when_it_began_until_it_was_over(empty_ledger: PanelLedger) -> None:
    long_ago, today = NOW - timedelta(days=3), NOW - timedelta(hours=2)
    empty_ledger.signals(
        [
            said("old", "open", long_ago, scope={"team": "search"}),
            said("old", "resolved", long_ago + timedelta(hours=1), number=1, scope={"team": "search"}),
            said("over", "open", today, severity="critical", scope={"team": "search", "api_key": "a"}),
            said(
                "over",
                "resolved",
                today + timedelta(hours=1),
                number=1,
                began=today - timedelta(minutes=5),
                scope={"team": "search", "api_key": "a"},
            ),
            said("going", "open", long_ago, scope={"vendor": "openai"}),
            said("elsewhere", "open", today, scope={"team": "ads"}),
        ]
    )
    period = rolling_period("24h", NOW)
    rows = await empty_ledger.rows(ANNOTATIONS, Choice(period, {"team": ["search"]}), NOW)
    assert [(row["incident"], row["now_is"]) for row in rows] == [("over", "over"), ("going", "open")]
    over, going = rows
    assert over["time"] == (today - timedelta(minutes=5)).isoformat().replace("+00:00", "Z")
    assert over["until"] == (today + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    assert over["about"] == "team search, api key a"
    assert going["until"] == NOW.isoformat().replace("+00:00", "Z")

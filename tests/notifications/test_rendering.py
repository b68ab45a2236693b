"""What a message says, that it fits, and that what others wrote in it has no effect."""

import html
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.notifications.news import News, collect
from sinks.notifications.rendering import Links, render
from sinks.notifications.text import STYLES, Format, plain
from tests.notifications.making import START, incident_signal
from tokenweir.signals import Contributor

FORMATS: tuple[Format, ...] = ("text", "markdown", "html")
HOSTILE = (
    "a\r\nBcc: x@y.z\n# <script>alert(1)</script> [click](javascript:x) @here <!channel> **b** `c` "
    "\u202eevil \" '"
)
formats = st.sampled_from(FORMATS)


def one(**changes: Any) -> list[News]:
    return collect([incident_signal("search", **changes)])


def test_a_person_can_act_on_it() -> None:
    signal = incident_signal(
        "search",
        started_at=START - timedelta(minutes=2),
        impact_usd_per_day=Decimal("990.5"),
        explanation="The service api repeats its calls.",
        contributors=[
            Contributor(
                component="calls",
                scope={"service": "api"},
                usd_per_day=Decimal(980),
                text="41 times the calls",
            ),
            Contributor(component="price", usd_per_day=Decimal("-4.5")),
            *(Contributor(component=f"more_{number}") for number in range(5)),
        ],
    )
    links = Links("https://weir.test/{tenant}/{incident}", "https://weir.test/runbooks/{kind}.md")
    message = render(collect([signal]), "text", longest=5000, links=links)
    assert message.title == "[critical] search costs 166 times the usual"
    assert message.mood == "critical"
    assert message.body.split("\n") == [
        "CRITICAL: search costs 166 times the usual",
        "The service api repeats its calls.",
        "Who: tenant acme, team search",
        "Money: $990 a day",
        "Now: 41.5, usually 0.25 (usd_per_hour)",
        "Since: 2026-11-23 12:00 UTC",
        "Why, the first cause first:",
        "- calls $980 a day (service api): 41 times the calls",
        "- price -$4.50 a day",
        "- more_0",
        "To do: Ask the owner whether this is wanted, and end it if it is not.",
        f"Take it up: weir signals ack {signal.fingerprint}",
        f"Look: https://weir.test/acme/cost_spike%3A{signal.incident.removeprefix('cost_spike:').replace('@', '%40')}",
        "Runbook: https://weir.test/runbooks/cost_spike.md",
        f"Reference: {signal.id}",
    ]


def test_an_end_says_how_long_it_was() -> None:
    over = incident_signal(
        "search", 65, state="resolved", started_at=START, observed_at=START + timedelta(minutes=65)
    )
    message = render(collect([over]), "text", longest=5000)
    assert message.title.startswith("[resolved] ")
    assert message.mood == "over"
    assert "until 2026-11-23 13:07 UTC (1 h 5 min)" in message.body
    assert "it is over" in message.body
    assert "signals ack" not in message.body


def test_evidence_is_not_shown() -> None:
    for format in FORMATS:
        assert "private" not in render(one(evidence={"prompt": "private"}), format, longest=5000).body


@given(format=formats, text=st.text(max_size=500).map(lambda text: HOSTILE + text))
def test_what_others_wrote_has_no_effect(format: Format, text: str) -> None:
    said = STYLES[format].say(text, 400)
    assert "\n" not in said
    assert "\r" not in said
    assert "\u202e" not in said
    shown = html.unescape(said) if format == "html" else said
    assert "@here" not in shown
    assert "@y.z" not in shown
    assert "<!channel>" not in shown
    assert "<script" not in shown
    if format == "html":
        assert not set(said) & set("<>\"'")
    if format == "markdown":
        for number, character in enumerate(said):
            if character in "`*_[]<>~|#!":
                assert said[number - 1] == "\\", said


@given(text=st.text(max_size=600), longest=st.integers(10, 400))
def test_names_are_cut(text: str, longest: int) -> None:
    line = plain(text, longest)
    assert len(line) <= longest
    assert line.isprintable()


@pytest.mark.parametrize("format", FORMATS)
def test_hostile_names_anywhere_stay_on_their_lines(format: Format) -> None:
    long = (HOSTILE * 10)[:512]
    usual = render(
        one(contributors=[Contributor(component="c", scope={"team": "x"}, text="x")]), format, longest=9000
    )
    hostile = one(
        title=long[:400],
        explanation=long * 5,
        subject=long,
        unit=HOSTILE[:64],
        scope={"tenant": long, HOSTILE: long},
        contributors=[Contributor(component=HOSTILE[:64], scope={"team": long}, text=long)],
        fingerprint=HOSTILE[:100],
    )
    message = render(hostile, format, longest=9000, links=Links("https://weir.test/{fingerprint}/{tenant}"))
    assert message.body.count("\n") == usual.body.count("\n") + 1  # the link
    assert "\n" not in message.title
    assert len(message.title) <= 220
    assert "@here" not in message.title + message.body
    assert "<script" not in message.body


@given(format=formats, incidents=st.integers(1, 60), longest=st.integers(700, 6000))
def test_a_message_fits_and_counts_what_it_leaves_out(format: Format, incidents: int, longest: int) -> None:
    news = collect(incident_signal(f"team-{number}") for number in range(incidents))
    body = render(news, format, longest=longest).body
    assert len(body) <= longest
    shown = sum(f"team{STYLES[format].escape('-')}{number} costs" in body for number in range(incidents))
    assert shown >= 1
    if shown < incidents:
        assert f"and {incidents - shown} more" in body


def test_the_worst_comes_first() -> None:
    news = collect(
        [
            incident_signal("over", 1, state="resolved"),
            incident_signal("warned", severity="warning"),
            incident_signal("cheap", impact_usd_per_day=Decimal(1)),
            incident_signal("dear"),
        ]
    )
    assert [one.last.scope["team"] for one in news] == ["dear", "cheap", "warned", "over"]
    assert render(news, "text", longest=6000).title == "[critical] 4 incidents: 3 open, 1 resolved"


def test_a_fingerprint_cannot_be_more_than_an_argument() -> None:
    body = render(one(fingerprint="x; rm -rf /"), "text", longest=6000).body
    assert "weir signals ack 'x; rm -rf /'" in body

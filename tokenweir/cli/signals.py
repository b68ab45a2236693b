"""`weir signals`: what the detectors said, and taking an incident up or muting it."""

import getpass
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from sinks.clickhouse import incidents
from tokenweir.cli.moments import parse_moment
from tokenweir.cli.options import Place, find_place, json_option, ledger_options, open_ledger
from tokenweir.cli.output import json_ready, print_json, print_rows
from tokenweir.errors import WrongCall
from tokenweir.local.notifications import send_test_message
from tokenweir.local.signal_requests import send_request
from tokenweir.settings import KafkaSettings, Settings
from tokenweir.signals import SignalRequest

_COLUMNS: Final = (
    "state",
    "severity",
    "kind",
    "title",
    "impact_usd_per_day",
    "started_at",
    "resolved_at",
    "acknowledged_by",
    "fingerprint",
)
_FOLLOW_SECONDS: Final = 2.0
_LATE: Final = timedelta(minutes=10)
"""So much earlier than the last one seen may a signal be that is stored after it."""


@click.group(invoke_without_command=True)
@click.option("--open", "is_open", is_flag=True, help="Only what is not over.")
@click.option(
    "--kind", "kinds", multiple=True, help="Only of this kind: cost_spike, budget…; repeat for more."
)
@click.option("--since", help="Only what was seen since: 2026-11-01, today, 7d…")
@click.option(
    "--follow", is_flag=True, help="Stay, and print each signal when it comes, one JSON object a line."
)
@ledger_options
@click.pass_context
def signals(
    context: click.Context,
    is_open: bool,
    kinds: tuple[str, ...],
    since: str | None,
    follow: bool,
    as_json: bool,
    data_dir: Path | None,
) -> None:
    """What the detectors said: incidents that are open first, then the latest.

    With --json each incident has its explanation, its contributors and its evidence, too.

    \b
    Examples:
      weir signals --open
      weir signals --kind cost_spike --since 7d --json
      weir signals ack cost_spike:0d6f4c1be2a94b5f7a10 --reason "known load test"
    """
    context.obj = data_dir
    if context.invoked_subcommand is not None:
        return
    place = find_place(data_dir)
    moment = parse_moment(since, datetime.now(UTC))
    if follow:
        if is_open:
            raise WrongCall("--follow shows signals as they come, not what is open", hint="Leave one out")
        _follow(place, kinds, moment or datetime.now(UTC))
        return
    with open_ledger(place) as client:
        rows = incidents.incidents(client, is_open=is_open, kinds=kinds, since=moment)
    if as_json:
        print_json(rows)
        return
    shown = [
        {
            **row,
            **{name: f"{row[name]:%Y-%m-%d %H:%M}" for name in ("started_at", "resolved_at") if row[name]},
        }
        for row in rows
    ]
    print_rows(shown, _COLUMNS, "table", empty="nothing was signalled")
    for row in rows:
        if row["state"] != "resolved":
            click.echo(f"\n{row['title']}\n  {row['explanation']}")


def _follow(place: Place, kinds: Sequence[str], since: datetime) -> None:
    """Prints signals until interrupted."""
    printed: set[str] = set()
    begin = since
    while True:
        with open_ledger(place) as client:
            rows = incidents.signals(client, kinds=kinds, since=since)
        for row in rows:
            if row["id"] not in printed:
                printed.add(row["id"])
                click.echo(json.dumps(json_ready(row), ensure_ascii=False))
        if rows:
            since = max(begin, rows[-1]["observed_at"] - _LATE)
        time.sleep(_FOLLOW_SECONDS)


@signals.command(name="ack")
@click.argument("fingerprint")
@click.option("--by", help="Who has taken it up [default: the name you are logged in with].")
@click.option("--reason", default="", help="What is being done; it is kept with the signal.")
@json_option
@click.pass_obj
def acknowledge(data_dir: Path | None, fingerprint: str, by: str | None, reason: str, as_json: bool) -> None:
    """Say that somebody has taken an open incident up. An escalation asks for it again.

    \b
    Example:
      weir signals ack cost_spike:0d6f4c1be2a94b5f7a10 --by ana --reason "known load test"
    """
    place = find_place(data_dir)
    row = _incident(place, fingerprint)
    if row["state"] == "resolved":
        raise WrongCall(f"{fingerprint} is over since {row['resolved_at']:%Y-%m-%d %H:%M} UTC")
    _send(place, row, SignalRequest(action="acknowledge", **_asking(row, by, reason)), as_json)


@signals.command()
@click.argument("fingerprint")
@click.option("--until", help="When to tell again: 2026-12-01, 2026-12-01T12:00Z, or 4h for in four hours.")
@click.option("--by", help="Who does not want to hear [default: the name you are logged in with].")
@click.option("--reason", default="", help="Why; it is kept with the signal.")
@json_option
@click.pass_obj
def mute(
    data_dir: Path | None, fingerprint: str, until: str | None, by: str | None, reason: str, as_json: bool
) -> None:
    """Have nobody told of a fingerprint until a time [default: for a day], whatever is opened meanwhile.

    The ledger goes on to say everything. A time that is past ends a mute.

    \b
    Example:
      weir signals mute cost_spike:0d6f4c1be2a94b5f7a10 --until 4h --reason "migration under way"
    """
    place = find_place(data_dir)
    row = _incident(place, fingerprint)
    now = datetime.now(UTC)
    asked = parse_moment(until or "1d", now)
    assert asked is not None  # noqa: S101 - only for no text
    # A span is one from now on here.
    ends = now + (now - asked) if until is None or until[-1:] in "mhdw" else asked
    _send(place, row, SignalRequest(action="mute", until=ends, **_asking(row, by, reason)), as_json)


@signals.command(name="test-notify")
@click.argument("channel")
@json_option
def test_notify(channel: str, as_json: bool) -> None:
    """Send a test message to a channel of the settings, now, whatever its hours, its choice and its cap.

    \b
    Example:
      weir signals test-notify oncall
    """
    send_test_message(Settings().notifications, channel)
    if as_json:
        print_json({"channel": channel, "sent": True})
        return
    click.echo(f"{channel} took the test message")


def _incident(place: Place, fingerprint: str) -> dict[str, Any]:
    with open_ledger(place) as client:
        rows = incidents.incidents(client, fingerprint=fingerprint, limit=1)
    if not rows:
        raise WrongCall(
            f"nothing was ever signalled as {fingerprint!r}", hint="`weir signals` shows the fingerprints"
        )
    return rows[0]


def _asking(row: dict[str, Any], by: str | None, reason: str) -> dict[str, Any]:
    return {
        "tenant": row["scope"]["tenant"],
        "fingerprint": row["fingerprint"],
        "by": by or getpass.getuser(),
        "reason": reason,
    }


def _send(place: Place, row: dict[str, Any], request: SignalRequest, as_json: bool) -> None:
    send_request(_kafka(place), request)
    if as_json:
        print_json(request.model_dump())
        return
    done = "acknowledged" if request.until is None else f"muted until {request.until:%Y-%m-%d %H:%M} UTC"
    click.echo(f"{done} by {request.by}: {row['title']}")


def _kafka(place: Place) -> KafkaSettings:
    if place.data_dir is None:
        return place.settings.kafka
    running = place.data_dir.running()
    if running is None:
        raise WrongCall(
            f"no pipeline runs on {place.data_dir.path}, so nobody would take this up",
            hint="Start it with `weir up`",
        )
    return place.settings.kafka.model_copy(
        update={"bootstrap_servers": running.kafka_bootstrap_servers, "security_protocol": "PLAINTEXT"}
    )

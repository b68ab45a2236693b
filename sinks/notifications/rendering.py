"""The message of some incidents: who, what, why, dollars a day, since when, the top contributors, what to do. Pure.

Nothing of a signal's evidence is shown, and of others' text only names and the detectors' sentences, cut and harmless
(`sinks.notifications.text`). A message fits its channel: with less detail where it is long, and then as a list that
says how many are not on it.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, NamedTuple
from urllib.parse import quote

from sinks.notifications.news import News, highest_severity
from sinks.notifications.text import STYLES, Format, Style, plain, unlinked
from tokenweir.signals import Signal
from tokenweir.signals.signal import Severity

Mood = Literal["over", "info", "warning", "critical"]

_TITLE_CHARACTERS: Final = 200
_NAME_CHARACTERS: Final = 80
_SENTENCE_CHARACTERS: Final = 700
_CONTRIBUTORS: Final = 3
_SCOPE_NAMES: Final = 8
_CHANGES: Final = {
    "severity_up": "more severe",
    "severity_down": "less severe",
    "scope": "at another level",
    "first_contributor": "another first cause",
    "acknowledged": "taken up",
    "": "changed",
}
_NEXT_STEPS: Final = {
    "cost_spike": "Ask the owner whether this is wanted, and end it if it is not.",
    "budget": "Ask the owner to spend less until the period ends, or raise the budget.",
    "errors": "Look at the vendor's status page and at the keys' limits; fail over where you can.",
    "latency": "Look at the vendor's status page; fail over where you can.",
    "migration": "Compare cost and quality before and after, and tell the workload's owner.",
    "retirement": "Plan the move to the successor before the last day.",
    "price_move": "Check contracts and forecasts against the new price.",
    "unpriced": "Give the model a price: `weir unpriced` says what helps.",
    "rejects": "See what is refused, and by whom it is sent: `weir rejected`.",
    "notification": "Check the channel's URL and the service behind it: `weir signals test-notify` tries it.",
}
_ANY_STEP: Final = "Look at the incident, and let its owner know."
_PLAIN_FINGERPRINT: Final = re.compile(r"[A-Za-z0-9_:.-]{1,128}")


class Links(NamedTuple):
    """Addresses with places such as {incident}, or empty: where an incident is looked at, and what to do about it."""

    incident: str = ""
    runbook: str = ""


NO_LINKS: Final = Links()


class Message(NamedTuple):
    """What a channel is sent. The title is plain text; `mood` goes with the channel's own colours and icons."""

    title: str
    body: str
    format: Format
    mood: Mood


def render(
    news: Sequence[News],
    format: Format,
    *,
    longest: int,
    links: Links = NO_LINKS,
    longest_title: int = _TITLE_CHARACTERS,
) -> Message:
    """The message of one piece of news, or of several, in the order given.

    longest, longest_title: characters of body and title.
    """
    style = STYLES[format]
    severity = highest_severity(news)
    body = next(
        (body for detail in (2, 1) if len(body := _body(news, style, links, detail)) <= longest),
        None,
    )
    return Message(
        unlinked(plain(_title(news, severity), longest_title)),
        body if body is not None else _list(news, style, longest),
        format,
        severity or "over",
    )


def _title(news: Sequence[News], severity: Severity | None) -> str:
    if len(news) == 1:
        last = news[0].last
        return f"[{'resolved' if news[0].is_over else last.severity}] {last.title}"
    over = sum(one.is_over for one in news)
    worst = f"[{severity or 'resolved'}] "
    parts = [f"{len(news) - over} open"] if over < len(news) else []
    parts += [f"{over} resolved"] if over else []
    return f"{worst}{len(news)} incidents: {', '.join(parts)}"


def _body(news: Sequence[News], style: Style, links: Links, detail: int) -> str:
    entries = [style.line_end.join(_entry(one, style, links, detail)) for one in news]
    return (style.line_end * 2).join(entries)


def _list(news: Sequence[News], style: Style, longest: int) -> str:
    """As many headlines as there is room for, and how many more there are."""
    lines: list[str] = []
    room = longest - 100
    for one in news:
        line = style.item(_headline(one, style))
        room -= len(line) + len(style.line_end)
        if room < 0:
            break
        lines.append(line)
    if rest := len(news) - len(lines):
        lines.append(f"and {rest} more: {style.code('weir signals --open')}")
    return style.line_end.join(lines)


def _headline(news: News, style: Style) -> str:
    last = news.last
    return f"{style.bold(_standing(news))}: {style.say(last.title, _TITLE_CHARACTERS)}"


def _standing(news: News) -> str:
    last = news.last
    if news.is_over:
        return "OPENED AND RESOLVED" if news.first.state == "open" else "RESOLVED"
    if news.first.state == "open" or last.state == "open":
        return last.severity.upper()
    return f"{last.severity.upper()}, {_CHANGES.get(last.change, last.change)}"


def _entry(news: News, style: Style, links: Links, detail: int) -> Iterator[str]:
    last = news.last
    yield _headline(news, style)
    if detail == 1:
        yield f"{_dollars(last)}{_since(news)}. {_acknowledge(last, style)}"
        return
    if last.explanation:
        yield style.say(last.explanation, _SENTENCE_CHARACTERS)
    if who := _who(last.scope, style):
        yield f"Who: {who}"
    if last.impact_usd_per_day is not None:
        yield f"Money: {_usd(last.impact_usd_per_day)} a day"
    if last.value is not None:
        usual = f", usually {last.baseline:,.4g}" if last.baseline is not None else ""
        yield f"Now: {last.value:,.4g}{usual} ({style.say(last.unit, _NAME_CHARACTERS)})"
    yield f"Since: {_since(news)}"
    if last.contributors:
        yield "Why, the first cause first:"
        yield from (style.item(_contributor(last, number, style)) for number in _first(last))
    yield from _what_to_do(news, style, links)
    yield f"Reference: {style.say(last.id, 256)}"


def _first(signal: Signal) -> range:
    return range(min(_CONTRIBUTORS, len(signal.contributors)))


def _contributor(signal: Signal, number: int, style: Style) -> str:
    one = signal.contributors[number]
    money = f" {_usd(one.usd_per_day)} a day" if one.usd_per_day is not None else ""
    who = f" ({names})" if (names := _who(one.scope, style)) else ""
    text = f": {style.say(one.text, _SENTENCE_CHARACTERS // 2)}" if one.text else ""
    return f"{style.say(one.component, _NAME_CHARACTERS)}{money}{who}{text}"


def _what_to_do(news: News, style: Style, links: Links) -> Iterator[str]:
    last = news.last
    if news.is_over:
        yield "To do: nothing; it is over."
    else:
        if last.acknowledged_by:
            yield f"Taken up by: {style.say(last.acknowledged_by, _NAME_CHARACTERS)}"
        step = _NEXT_STEPS.get(last.kind, _ANY_STEP)
        yield f"To do: {_with_code(step, style)}"
        if last.kind != "notification":
            yield _acknowledge(last, style)
    if links.incident:
        yield f"Look: {style.link(link_to(links.incident, last))}"
    if links.runbook:
        yield f"Runbook: {style.link(link_to(links.runbook, last))}"


def _with_code(text: str, style: Style) -> str:
    return "".join(style.code(part) if number % 2 else part for number, part in enumerate(text.split("`")))


def _acknowledge(signal: Signal, style: Style) -> str:
    if signal.state == "resolved":
        return "It is over."
    name = plain(signal.fingerprint, 128)
    quoted = name if _PLAIN_FINGERPRINT.fullmatch(name) else unlinked(shlex.quote(name))
    return f"Take it up: {style.code(f'weir signals ack {quoted}')}"


def link_to(link: str, signal: Signal) -> str:
    """The address of an incident: what is in braces is filled in, and what is filled in is quoted."""
    values = {
        "incident": signal.incident,
        "fingerprint": signal.fingerprint,
        "kind": signal.kind,
        "tenant": signal.scope.get("tenant", ""),
    }
    for name, value in values.items():
        link = link.replace("{" + name + "}", quote(value, safe=""))
    return link


def _who(scope: dict[str, str], style: Style) -> str:
    names = [
        f"{style.say(name, _NAME_CHARACTERS)} {style.say(value, _NAME_CHARACTERS)}"
        for name, value in list(scope.items())[:_SCOPE_NAMES]
    ]
    return ", ".join(names)


def _usd(amount: Decimal) -> str:
    sign = "-" if amount < 0 else ""
    return f"{sign}${abs(amount):,.0f}" if abs(amount) >= 100 else f"{sign}${abs(amount):,.2f}"


def _dollars(signal: Signal) -> str:
    known = signal.impact_usd_per_day
    return f"{_usd(known)} a day, since " if known is not None else "since "


def _since(news: News) -> str:
    last = news.last
    began = _moment(last.started_at)
    if not news.is_over:
        return began
    lasted = max(timedelta(0), last.observed_at - last.started_at)
    minutes = round(lasted.total_seconds() / 60)
    return f"{began}, until {_moment(last.observed_at)} ({minutes // 60} h {minutes % 60} min)"


def _moment(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"

"""A report as the text of one HTML file.

Invariants: nothing is loaded from anywhere and nothing can be sent anywhere; the content security policy in the file
itself forbids it, and lets only the two scripts run that are named in it by their digest. Everything that is said can
be read without them. Whatever comes out of the ledger is escaped.
"""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from dashboards.page.definitions import all_boards
from dashboards.panels.panel import Kind
from dashboards.panels.question import Answer
from dashboards.report.content import BoardAnswers, Content, heeds_period
from dashboards.report.figures import escaped, prose
from dashboards.report.front import front
from dashboards.report.scripts import drawing_script, plotly_script, styles
from dashboards.report.tables import answer_in_html, plain_table

_CHARTS = frozenset({Kind.TIMESERIES, Kind.HEATMAP, Kind.FLOW, Kind.TIMELINE})
_COLUMNS = 12
_NARROW = 5
"""A table with more columns than this has the width of the paper."""


def document(content: Content, *, version: str) -> str:
    """The file's text, to be written as UTF-8. version: of the program that makes it."""
    wanted = content.wanted
    title = f"{wanted.title}: {wanted.period.words}"
    plotly, drawing = plotly_script(), drawing_script()
    policy = (
        f"default-src 'none'; script-src '{_digest(plotly)}' '{_digest(drawing)}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    links = "".join(
        f'<a href="#{each.board.name}">{escaped(each.board.title)}</a>' for each in content.boards
    )
    return (
        '<!doctype html>\n<html lang="en" data-theme="light">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f'<meta name="generator" content="Tokenweir {escaped(version)}">\n'
        f"<title>{escaped(title)}</title>\n<style>\n{styles()}</style>\n</head>\n<body>\n"
        f'<main class="report">\n<div class="head">{front(content, version)}</div>\n'
        f'<nav class="contents" aria-label="Boards">{links}'
        '<button type="button" id="folds" hidden>Figures under charts: show or hide</button></nav>\n'
        f"{''.join(_board(each, content) for each in content.boards)}{_incidents(content.incidents)}{_closing(content)}"
        "</main>\n"
        f'<script type="application/json" id="answers">{_json(_answers(content))}</script>\n'
        f"<script>{plotly}</script>\n<script>{drawing}</script>\n</body>\n</html>\n"
    )


def _board(each: BoardAnswers, content: Content) -> str:
    board = each.board
    left_out = ""
    if each.left_out:
        titles = ", ".join(f"“{panel.title}”" for panel in each.left_out)
        left_out = f'<p class="fine">Left out, as it knows only the present: {escaped(titles)}.</p>'
    panels = "\n".join(_panel(board.name, answer, content) for answer in each.answers)
    return (
        f'<section class="board" id="{board.name}"><h2>{escaped(board.title)}</h2><p>{escaped(board.description)}</p>'
        f'{left_out}\n<div class="panels">\n{panels}\n</div></section>\n'
    )


def _panel(board: str, answer: Answer, content: Content) -> str:
    panel = answer.panel
    width = panel.width
    if panel.kind in _CHARTS:
        width = 6 if width <= 6 else _COLUMNS
    elif panel.kind is Kind.STAT:
        width = 6
    else:
        width = 6 if width < _COLUMNS and len(panel.fields) <= _NARROW else _COLUMNS
    notes = []
    passed = [name for name, values in content.wanted.where.items() if values and name not in panel.variables]
    if passed:
        notes.append(f"Not narrowed by {', '.join(passed)}.")
    if not heeds_period(panel) and content.wanted.period.is_over:
        notes.append("As of the last second of the period.")
    said = answer_in_html(answer)
    if panel.kind in _CHARTS and answer.rows:
        said = (
            '<div class="view" hidden></div>'
            f'<details class="of-chart" open><summary>The figures as a table</summary>{said}</details>'
        )
    note = f'<p class="scope">{escaped(" ".join(notes))}</p>' if notes else ""
    return (
        f'<article class="panel{" half" if width < _COLUMNS else ""}" id="{board}-{panel.name}" '
        f'data-kind="{panel.kind}" style="--width:{width};--height:{panel.height * 40 - 40}px">'
        f'<header><h3>{escaped(panel.title)}</h3>{note}<p class="description">{prose(panel.description)}</p></header>'
        f"{said}</article>"
    )


def _incidents(answer: Answer) -> str:
    """What the marks above the charts stand for."""
    panel = answer.panel
    said = (
        plain_table(panel.title, panel.fields, answer.rows) if answer.rows else f"<p>{prose(panel.empty)}</p>"
    )
    return (
        f'<section class="board" id="incidents"><h2>{escaped(panel.title)}</h2>'
        f'<p class="description">{prose(panel.description)} Marks above charts over time stand for them.</p>'
        f"{said}</section>\n"
    )


def _closing(content: Content) -> str:
    return (
        '<footer class="closing"><p>Days and times are UTC. Each call counts once, however often it was reported. '
        "Amounts are exact; in charts they are rounded to what can be drawn.</p>"
        "<p>This file holds everything that it shows and loads nothing. The answers behind it stand in it as JSON, in "
        "the element “answers”.</p></footer>"
    )


def _answers(content: Content) -> dict[str, Any]:
    """Everything that was answered, for the drawing code and for programs: money as exact decimal strings."""
    wanted = content.wanted
    period = wanted.period.period
    asked = {
        "now": _rfc3339(wanted.made_at),
        "since": _rfc3339(period.since),
        "until": _rfc3339(period.until),
        "step_seconds": period.step_seconds,
    }
    definitions = {
        (board["name"], panel["name"]): panel for board in all_boards()["boards"] for panel in board["panels"]
    }
    names = content.incidents.panel.names
    return {
        **asked,
        "title": wanted.title,
        "period": wanted.period.words,
        "where": {name: list(values) for name, values in wanted.where.items()},
        "by": wanted.by,
        "then_by": wanted.then_by,
        "sums": [
            {
                "period": each.words,
                "since": _rfc3339(each.period.since),
                "until": _rfc3339(each.period.until),
                **dict(zip(each.answer.panel.names, each.answer.rows[0], strict=True)),
            }
            for each in content.summaries
        ],
        "incidents": [dict(zip(names, row, strict=True)) for row in content.incidents.rows],
        "panels": [
            {
                "id": f"{each.board.name}-{answer.panel.name}",
                "definition": definitions[each.board.name, answer.panel.name],
                "answer": {**asked, "rows": answer.rows},
            }
            for each in content.boards
            for answer in each.answers
        ],
    }


def _json(value: object) -> str:
    """JSON with nothing in it that HTML would take for the end of an element, or for a comment."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _digest(script: str) -> str:
    """As a content security policy names an inline script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")

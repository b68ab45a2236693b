"""Answers as HTML that reads without any script: a figure with what stands beside it, tables, tables with bars.

Where a panel draws a line for each name, its table has a column for each name and a row for each step, one table for
each measure; measures that add up have a row with their sum.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.question import Answer
from dashboards.panels.variables import INCIDENT, OTHERS
from dashboards.report.figures import (
    ADDED_UP,
    NOTHING,
    added,
    change,
    escaped,
    figure,
    heading,
    is_numeric,
    name,
    prose,
    unit_words,
)

MOST_ROWS: Final = 1_000
"""As many rows of one table are written; the table says so where there are more."""
_LEVEL_WORDS: Final = {"good": "✓ good", "warning": "▲ watch", "bad": "✕ bad"}


def answer_in_html(answer: Answer) -> str:
    """The answer as figures and tables, or what its panel says where there is nothing."""
    panel, rows = answer.panel, answer.rows
    if not rows:
        return f'<p class="nothing">{prose(panel.empty)}</p>'
    if panel.kind is Kind.STAT:
        return _stat(panel, rows[0])
    if panel.kind is Kind.TIMESERIES and panel.fields[1].unit is Unit.TEXT:
        return "".join(_by_name(panel, rows, index) for index in range(2, len(panel.fields)))
    return plain_table(panel.title, panel.fields, rows, bars=panel.kind is Kind.BARS)


def plain_table(
    caption: str,
    fields: Sequence[Field],
    rows: Sequence[Sequence[Any]],
    *,
    bars: bool = False,
    total: Sequence[Any] | None = None,
) -> str:
    """One table, a column for each field but the names of incidents, which say nothing to a person.

    bars: draws the first measure below the name. total: a last row.
    """
    kept = [index for index, each in enumerate(fields) if each.variable != INCIDENT]
    fields, rows = [fields[index] for index in kept], [[row[index] for index in kept] for row in rows]
    measure = next((index for index, each in enumerate(fields) if is_numeric(each.unit)), -1)
    largest = (
        max((_size(row[measure]) for row in rows), default=Decimal(0))
        if bars and measure >= 0
        else Decimal(0)
    )
    body = []
    for row in rows[:MOST_ROWS]:
        track = _track(_size(row[measure]), largest) if largest else ""
        body.append(_row(fields, row, after_first=track))
    foot = f"<tfoot>{_row(fields, total)}</tfoot>" if total is not None else ""
    heads = "".join(
        f'<th scope="col"{_class(each.unit)}>{heading(each.title, each.unit)}</th>' for each in fields
    )
    return (
        f'<table><caption class="hidden">{escaped(caption)}</caption><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody>{foot}</table>{_beyond(len(rows))}"
    )


def _row(fields: Sequence[Field], row: Sequence[Any], *, after_first: str = "") -> str:
    cells = []
    for index, (each, value) in enumerate(zip(fields, row, strict=True)):
        tag, scope = ("th", ' scope="row"') if index == 0 else ("td", "")
        exact = f' data-value="{escaped(str(value))}"' if is_numeric(each.unit) and value is not None else ""
        cells.append(
            f"<{tag}{scope}{_class(each.unit)}{exact}>{_said(value, each, first=index == 0)}"
            f"{after_first if index == 0 else ''}</{tag}>"
        )
    return f"<tr>{''.join(cells)}</tr>"


def _by_name(panel: Panel, rows: Sequence[Sequence[Any]], measure: int) -> str:
    """A column for each name, a row for each step. Absent is not 0: what has no row has an empty cell."""
    field = panel.fields[measure]
    sums = panel.stacked and field.unit in ADDED_UP
    steps: dict[str, dict[Any, Any]] = {}
    of_name: dict[Any, list[Any]] = {}
    for row in rows:
        steps.setdefault(row[0], {})[row[1]] = row[measure]
        of_name.setdefault(row[1], []).append(row[measure])
    names = sorted(of_name, key=lambda each: (each == OTHERS, -sum(map(_size, of_name[each]))))
    heads = [f'<th scope="col">{heading(panel.fields[0].title, Unit.TIME)}</th>']
    heads += [f'<th scope="col" class="number">{name(each or "")}</th>' for each in names]
    foot = ""
    if sums:
        heads.append('<th scope="col" class="number">Total</th>')
        totals = [added(of_name[each], field.unit) for each in names]
        totals.append(added([row[measure] for row in rows], field.unit))
        cells = "".join(_cell(each, field.unit) for each in totals)
        foot = f'<tfoot><tr><th scope="row">Total</th>{cells}</tr></tfoot>'
    lines = []
    for time, values in list(steps.items())[:MOST_ROWS]:
        line = [_cell(values[each], field.unit) if each in values else "<td></td>" for each in names]
        if sums:
            line.append(_cell(added(list(values.values()), field.unit), field.unit))
        lines.append(f'<tr><th scope="row">{figure(time, Unit.TIME)}</th>{"".join(line)}</tr>')
    return (
        f'<div class="wide"><table class="by-name" data-measure="{escaped(field.name)}">'
        f"<caption>{heading(field.title, field.unit)}</caption><thead><tr>{''.join(heads)}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody>{foot}</table></div>{_beyond(len(steps))}"
    )


def _beyond(rows: int) -> str:
    return f'<p class="fine">The first {MOST_ROWS:,} of {rows:,} rows.</p>' if rows > MOST_ROWS else ""


def _stat(panel: Panel, row: Sequence[Any]) -> str:
    """The first figure large, what it is held against, the others below it."""
    lead = panel.fields[0]
    level = _level(panel, row[0])
    badge = f' <span class="level" data-level="{level}">{_LEVEL_WORDS[level]}</span>' if level else ""
    parts = [
        f'<p class="lead"><span class="figure" data-value="{escaped(str(row[0]))}">{figure(row[0], lead.unit)}</span> '
        f'<span class="figure-unit">{unit_words(lead.unit)}</span>{badge}</p>'
    ]
    beside = []
    for each, value in zip(panel.fields[1:], row[1:], strict=True):
        against = ""
        if each.name == f"{lead.name}_before":
            moved = change(row[0], value)
            against = f' <span class="against">{moved}</span>' if moved != NOTHING else ""
        beside.append(
            f'<div><dt>{heading(each.title, each.unit)}</dt><dd data-value="{escaped(str(value))}">'
            f"{figure(value, each.unit)}{against}</dd></div>"
        )
    return f"{''.join(parts)}<dl>{''.join(beside)}</dl>"


def _level(panel: Panel, value: Any) -> str:
    if value is None or panel.fields[0].unit in (Unit.TEXT, Unit.TIME, Unit.DAY):
        return ""
    passed = [each for each in panel.thresholds if Decimal(str(value)) >= Decimal(str(each.value))]
    return max(passed, key=lambda each: each.value).level if passed else ""


def _said(value: Any, field: Field, *, first: bool) -> str:
    """A value; a text that is no name of anything and is empty says nothing."""
    return NOTHING if value == "" and not first and not field.variable else figure(value, field.unit)


def _cell(value: Any, unit: Unit) -> str:
    exact = f' data-value="{escaped(str(value))}"' if value is not None else ""
    return f"<td{_class(unit)}{exact}>{figure(value, unit)}</td>"


def _class(unit: Unit) -> str:
    return ' class="number"' if is_numeric(unit) else ""


def _track(size: Decimal, largest: Decimal) -> str:
    return f'<span class="track"><span class="bar" style="width:{100 * size / largest:.1f}%"></span></span>'


def _size(value: Any) -> Decimal:
    return abs(Decimal(str(value))) if value is not None else Decimal(0)

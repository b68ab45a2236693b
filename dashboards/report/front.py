"""What stands before the boards: whose report it is, of what time, what is left out, the sums, how they are priced."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from dashboards.panels.panel import Field, Unit
from dashboards.panels.question import Answer
from dashboards.panels.variables import GROUPS, VARIABLES
from dashboards.period import Period
from dashboards.report.content import Compared, Content
from dashboards.report.figures import added, change, escaped, figure, name, number, prose
from dashboards.report.tables import plain_table

_UNKNOWN_TENANT: Final = "no calls in this period"


def front(content: Content, version: str) -> str:
    """Everything above the first board, as HTML."""
    wanted = content.wanted
    named = wanted.period
    return (
        f'<p class="maker"><b>Tokenweir</b><span>made {_at(wanted.made_at)} by version {escaped(version)}</span></p>'
        f"<h1>{escaped(wanted.title)}</h1>"
        f'<p class="span">{escaped(named.words)}</p>'
        f'<dl class="facts">{"".join(_fact(term, said) for term, said in _facts(content))}</dl>'
        f'<ul class="notices">{"".join(_notices(content))}</ul>'
        f"<section><h2>In all</h2>{_sums(content.summaries)}</section>"
        f"<section><h2>{escaped(content.price_basis.panel.title)}</h2>{_price_basis(content.price_basis)}</section>"
    )


def span(period: Period) -> str:
    """The bounds of a period, in words."""
    return f"{_at(period.since)} up to {_at(period.until)}, which is not included"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _fact(term: str, said: str) -> str:
    return f"<dt>{escaped(term)}</dt><dd>{said}</dd>"


def _facts(content: Content) -> Iterator[tuple[str, str]]:
    """Terms, and what is said of them as HTML."""
    wanted = content.wanted
    yield "Period", escaped(span(wanted.period.period))
    tenants = [row[0] for row in content.tenants.rows]
    yield "Tenant", ", ".join(map(name, tenants)) or escaped(_UNKNOWN_TENANT)
    narrowed = [
        f"{escaped(VARIABLES[variable])}: {' or '.join(map(name, values))}"
        for variable, values in wanted.where.items()
        if values
    ]
    yield "Narrowed to", "; ".join(narrowed) or "nothing: all usage of the ledger"
    yield "Grouped by", f"{escaped(GROUPS[wanted.by])}, then {escaped(GROUPS[wanted.then_by])}"
    yield "Currency", "US dollars, exact as in the ledger"


def _notices(content: Content) -> Iterator[str]:
    """What a reader must know before the figures: what is in no sum, first."""
    wanted, named = content.wanted, content.wanted.period
    summary = _by_name(content.summaries[0].answer)
    calls, unpriced = summary["all_calls"], summary["without_price"]
    if not calls:
        yield _notice("The ledger has no calls in this period that are among those chosen.", "warning")
    elif unpriced:
        yield _notice(
            f"{unpriced:,} of {calls:,} calls ({number(100 * unpriced / calls)} %) have no price. They cost something "
            "that nobody knows, so they are in no sum of money here. `weir unpriced` says why, for each model.",
            "warning",
        )
    else:
        yield _notice("Every call of this period has a price.", "good")
    if not named.is_over and named.ends_at > named.period.until:
        yield _notice(
            f"The period is not over: it ends {_at(named.ends_at)}. The figures go up to {_at(wanted.made_at)}.",
            "warning",
        )
    begins_at = content.begins_at
    compared_since = min(each.period.since for each in content.summaries)
    if begins_at is not None and begins_at > compared_since:
        begun = "the period" if begins_at > named.period.since else "what it is compared with"
        yield _notice(
            f"The ledger begins on {begins_at:%Y-%m-%d}, within {begun}. What was before is not in it, so changes "
            "against earlier time say little.",
            "warning",
        )
    if summary["covered_calls"]:
        yield _notice(
            f"{summary['covered_calls']:,} calls were covered by free tiers or prepaid packs, in whole or in part: "
            f"their list price less what was paid is ${Decimal(summary['covered_usd']):,f}. What a pack itself cost is "
            "not in the spend."
        )
    if summary["free_calls"]:
        yield _notice(f"{summary['free_calls']:,} calls went to models whose public price is zero.")
    yield _notice(
        "Spend is each call at the price that the ledger holds for it at the moment this was made. Calls that are "
        "reported later, and `weir reprice`, change it."
    )


def _notice(text: str, level: str = "") -> str:
    marks = {"warning": "▲ ", "good": "✓ "}
    attribute = f' data-level="{level}"' if level else ""
    return f"<li{attribute}>{marks.get(level, '')}{prose(text)}</li>"


def _sums(summaries: tuple[Compared, ...]) -> str:
    """A row for each figure, a column for each stretch of time, and how far the first is from the others."""
    first = summaries[0]
    heads = ['<th scope="col">Figure</th>', f'<th scope="col" class="number">{escaped(first.words)}</th>']
    for other in summaries[1:]:
        heads += [
            f'<th scope="col" class="number">{escaped(other.words)}</th>',
            '<th scope="col" class="number">Change</th>',
        ]
    lines = []
    for index, each in enumerate(first.answer.panel.fields):
        value = first.answer.rows[0][index]
        cells = [_cell(each, value)]
        for other in summaries[1:]:
            earlier = other.answer.rows[0][index]
            cells += [_cell(each, earlier), f'<td class="number">{change(value, earlier)}</td>']
        lines.append(
            f'<tr data-figure="{each.name}"><th scope="row">{escaped(each.title)}</th>{"".join(cells)}</tr>'
        )
    compared = "".join(
        f'<p class="fine">{escaped(other.words)}: {escaped(span(other.period))}.</p>'
        for other in summaries[1:]
    )
    return (
        f'<table id="sums"><caption class="hidden">In all</caption><thead><tr>{"".join(heads)}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>{compared}"
    )


def _cell(field: Field, value: Any) -> str:
    exact = f' data-value="{escaped(str(value))}"' if value is not None else ""
    return f'<td class="number"{exact}>{figure(value, field.unit)}</td>'


def _price_basis(answer: Answer) -> str:
    """The spend by where its prices come from, with its sum."""
    panel, rows = answer.panel, answer.rows
    if not rows:
        return f'<p class="nothing">{prose(panel.empty)}</p>'
    totals: list[Any] = ["Total"]
    for index, each in enumerate(panel.fields[1:], start=1):
        is_share = each.unit is Unit.PERCENT
        totals.append(100.0 if is_share else added([row[index] for row in rows], each.unit))
    table = plain_table(panel.title, panel.fields, rows, total=totals)
    return f'<p class="description">{prose(panel.description)}</p><div id="price-basis">{table}</div>'


def _by_name(answer: Answer) -> dict[str, Any]:
    return dict(zip(answer.panel.names, answer.rows[0], strict=True))

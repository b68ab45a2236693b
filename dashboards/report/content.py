"""Everything that a report says, asked of the ledger: thin, no HTML.

A panel that the period does not bound tells of a moment ("the last 24 hours", "this month"). In a report it tells of
the last second of the period, or of now while the period runs. One that knows only the present, because the ledger
keeps no past of what it reads, is left out of a report on the past.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from dashboards.panels.annotations import ANNOTATIONS
from dashboards.panels.panel import Board, Panel
from dashboards.panels.question import Answer, Choice, Query, ask, ask_all
from dashboards.panels.registry import board
from dashboards.panels.spend import price_status
from dashboards.panels.template import slots_of
from dashboards.period import Period
from dashboards.report.period import ReportPeriod
from dashboards.report.summary import BEGINNING, SUMMARY, TENANTS

USUAL_BOARDS: Final = ("fleet", "spend", "budgets", "migrations", "prices")
"""What finance is sent where nobody says otherwise."""

_OF_THE_PERIOD: Final = frozenset({"in_period", "before_period", "since", "until", "step"})
_ONLY_NOW: Final = "@ledger.open_incidents"


@dataclass(frozen=True)
class Wanted:
    """What a report is to tell of. where, by, then_by: as of a Choice. made_at: UTC."""

    period: ReportPeriod
    made_at: datetime
    boards: Sequence[str] = USUAL_BOARDS
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    by: str = "team"
    then_by: str = "model"
    title: str = "Usage and spend"


@dataclass(frozen=True)
class Compared:
    """The summary of one stretch of time. words: what it is called beside the others."""

    words: str
    period: Period
    answer: Answer


@dataclass(frozen=True)
class BoardAnswers:
    """A board and the answers of its panels, in their order. left_out: those that know only the present."""

    board: Board
    answers: tuple[Answer, ...]
    left_out: tuple[Panel, ...]


@dataclass(frozen=True)
class Content:
    """A whole report in figures. summaries: of the period, then of what it is compared with.
    begins_at: the day of the earliest call in the ledger; None while it is empty.
    """

    wanted: Wanted
    summaries: tuple[Compared, ...]
    tenants: Answer
    price_basis: Answer
    incidents: Answer
    boards: tuple[BoardAnswers, ...]
    begins_at: datetime | None


def heeds_period(panel: Panel) -> bool:
    """Whether the period bounds what the panel tells."""
    return bool(slots_of(panel.sql) & _OF_THE_PERIOD)


async def gather(wanted: Wanted, query: Query, *, database: str) -> Content:
    """The report's figures. Raises WrongCall for a board or a variable that is none, and what `query` raises."""
    chosen = [board(name) for name in dict.fromkeys(wanted.boards)]
    choice = Choice(wanted.period.period, where=wanted.where, by=wanted.by, then_by=wanted.then_by)
    made_at = wanted.made_at
    beginning, tenants, price_basis, incidents = await ask_all(
        [BEGINNING, TENANTS, price_status.PANEL, ANNOTATIONS], query, choice, made_at, database=database
    )
    summaries = [
        Compared(
            words,
            period,
            await ask(SUMMARY, query, replace(choice, period=period), made_at, database=database),
        )
        for words, period in _spans(wanted.period)
    ]
    moment = min(made_at, wanted.period.period.until - timedelta(seconds=1))
    begins_at = datetime.fromisoformat(f"{beginning.rows[0][0]}T00:00:00Z") if beginning.rows else None
    answered: list[BoardAnswers] = []
    for each in chosen:
        left_out = tuple(panel for panel in each.panels if wanted.period.is_over and _ONLY_NOW in panel.sql)
        panels = [panel for panel in each.panels if panel not in left_out]
        bounded = [panel for panel in panels if heeds_period(panel)]
        momentary = [panel for panel in panels if not heeds_period(panel)]
        answers = [
            *await ask_all(bounded, query, choice, made_at, database=database),
            *await ask_all(momentary, query, choice, moment, database=database),
        ]
        answers.sort(key=lambda answer: panels.index(answer.panel))
        answered.append(BoardAnswers(each.board, tuple(answers), left_out))
    return Content(wanted, tuple(summaries), tenants, price_basis, incidents, tuple(answered), begins_at)


def _spans(named: ReportPeriod) -> list[tuple[str, Period]]:
    """What is summed up: the period, the one before in the calendar, and the same length right before."""
    period = named.period
    spans = [(named.words, period)]
    if named.earlier is not None:
        earlier, words = named.earlier
        spans.append((words, earlier))
        if earlier.since == period.before.since:
            return spans
    return [*spans, ("The same length right before", period.before)]

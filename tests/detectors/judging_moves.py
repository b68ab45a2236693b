"""How well migrations are found: a story and the signals of a run in, figures out."""

from collections.abc import Iterable
from datetime import datetime
from statistics import median
from typing import Final, NamedTuple

from producers.simulation import Story
from producers.simulation.story import Move
from tokenweir.signals import Signal

HALF: Final = 0.7
"""A move that ends with a smaller share is to be told half-way, not complete."""


class FoundMove(NamedTuple):
    """A planted move and what was said of it.

    delay_hours: from the move's beginning to the opening; None where it was missed. moved: by the story, how much of
    the move's own way was done by then, 0 to 1. stages: in the order in which they were told.
    """

    move: Move
    cause: str
    delay_hours: float | None
    moved: float
    stages: tuple[str, ...]
    first_component: str

    @property
    def is_complete(self) -> bool:
        """Whether the last stage told is the one that the move came to."""
        return bool(self.stages) and self.stages[-1] == ("complete" if self.move.share > HALF else "half_way")


class MoveFigures(NamedTuple):
    """precision, recall: 1.0 where there is nothing to find or nothing was said. false: signals that open no move."""

    moves: tuple[FoundMove, ...]
    false: tuple[Signal, ...]

    @property
    def found(self) -> int:
        """How many of the moves were said."""
        return sum(one.delay_hours is not None for one in self.moves)

    @property
    def precision(self) -> float:
        """Of what was said, the share that was so."""
        said = self.found + len(self.false)
        return self.found / said if said else 1.0

    @property
    def recall(self) -> float:
        """Of the planted moves, the share that was said."""
        return self.found / len(self.moves) if self.moves else 1.0

    @property
    def delay_hours(self) -> float | None:
        """The median of those found."""
        delays = [one.delay_hours for one in self.moves if one.delay_hours is not None]
        return median(delays) if delays else None

    @property
    def stages_right(self) -> float:
        """Of those found, the share whose last stage was told."""
        return sum(one.is_complete for one in self.moves) / self.found if self.found else 1.0


def judge_moves(story: Story, signals: Iterable[Signal]) -> MoveFigures:
    """What the migration signals of a run are worth. Signals of other kinds are passed over; any order.

    A planted move is found by the first incident of its workload that is opened from its model to the one it goes to,
    not before it begins. Every other incident is a false one.
    """
    by_incident: dict[str, list[Signal]] = {}
    for signal in sorted(signals, key=lambda each: (each.observed_at, each.id)):
        if signal.kind == "migration":
            by_incident.setdefault(signal.incident, []).append(signal)
    left = dict(by_incident)
    moves = []
    for incident in story.incidents:
        for move in incident.moves:
            name = next((name for name, told in left.items() if _is_of(told[0], move)), None)
            moves.append(_found(move, incident.kind, left.pop(name) if name is not None else []))
    return MoveFigures(tuple(moves), tuple(told[0] for told in left.values()))


def _is_of(opened: Signal, move: Move) -> bool:
    scope = {name: value for name, value in opened.scope.items() if name != "operation"}
    path = f"{move.from_vendor}/{move.from_model}>{move.to_vendor}/{move.to_model}"
    return scope == move.scope and opened.subject == path and opened.observed_at >= move.started_at


def _found(move: Move, cause: str, told: list[Signal]) -> FoundMove:
    if not told:
        return FoundMove(move, cause, None, 0.0, (), "")
    opened = told[0]
    stages = [str(signal.evidence["stage"]) for signal in told]
    return FoundMove(
        move=move,
        cause=cause,
        delay_hours=(opened.observed_at - move.started_at).total_seconds() / 3600,
        moved=_way(move, opened.observed_at),
        stages=tuple(dict.fromkeys(stages)),
        first_component=opened.contributors[0].component if opened.contributors else "",
    )


def _way(move: Move, at: datetime) -> float:
    """As `producers.simulation.plot.Shift` has it, without the share at its end."""
    way = min(1.0, max(0.0, (at - move.started_at) / (move.ended_at - move.started_at)))
    return way * way * (3 - 2 * way)

"""Which of many rules mean a name, without holding every rule against it.

Each rule is filed under texts one of which stands in every name that it means: a whole name, a beginning, an end, a
part. A name is looked up under its own parts, so the work grows with the length of the name, not with the number of
rules. Rules of which no such text can be told (a regular expression that is all alternatives, a `not` by itself) are
held against every name.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from tokenweir.pricing.matching import Match, Operation

_MOST_TELLING: Final[tuple[Operation, ...]] = ("equals", "starts_with", "ends_with", "contains")
_SPECIAL: Final = frozenset("\\^$.|?*+()[]{}")
_CLASS_ESCAPE: Final = re.compile(r"\\[dDwWsSbB]")
_REPETITION: Final = re.compile(r"\{\d+(?:,\d*)?\}")
_CLASS: Final = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")


class Anchor(NamedTuple):
    """A text that stands so in every name a rule means: `equals`, `starts_with`, `ends_with` or `contains`."""

    operation: Operation
    text: str


class RuleIndex:
    """Rules by position, found by the names they mean."""

    def __init__(self, rules: Iterable[Match]) -> None:
        self._rules = tuple(rules)
        self._filed: dict[Operation, dict[str, list[int]]] = {operation: {} for operation in _MOST_TELLING}
        self._unfiled: list[int] = []
        for position, rule in enumerate(self._rules):
            anchors = anchors_of(rule)
            if anchors is None:
                self._unfiled.append(position)
            for operation, text in anchors or ():
                self._filed[operation].setdefault(text, []).append(position)
        self._lengths = {
            operation: sorted({len(text) for text in filed}) for operation, filed in self._filed.items()
        }

    def holding(self, name: str) -> list[int]:
        """Positions of the rules that mean `name`, which must be in lower case, in order."""
        places = set(self._unfiled)
        for operation, filed in self._filed.items():
            for part in self._parts(operation, name) if filed else ():
                places.update(filed.get(part, ()))
        return sorted(place for place in places if self._rules[place].holds(name))

    def _parts(self, operation: Operation, name: str) -> Iterator[str]:
        """The parts of a name under which rules can be filed."""
        if operation == "equals":
            yield name
            return
        for length in self._lengths[operation]:
            if length > len(name):
                return
            if operation == "starts_with":
                yield name[:length]
            elif operation == "ends_with":
                yield name[len(name) - length :]
            else:
                for start in range(len(name) - length + 1):
                    yield name[start : start + length]


def anchors_of(rule: Match) -> tuple[Anchor, ...] | None:
    """Texts one of which stands in every lower-case name that the rule means; None where none can be told."""
    if rule.operation == "or":
        return _any_of(rule.rules)
    if rule.operation == "and":
        told = [anchors for each in rule.rules if (anchors := anchors_of(each))]
        return min(told, key=_how_telling, default=None)
    if rule.operation == "regex":
        return _of_expression(rule.text)
    if rule.operation == "not":
        return None
    return (Anchor(rule.operation, rule.text.lower()),)


def _any_of(rules: Iterable[Match]) -> tuple[Anchor, ...] | None:
    found: list[Anchor] = []
    for rule in rules:
        anchors = anchors_of(rule)
        if anchors is None:
            return None
        found += anchors
    return tuple(dict.fromkeys(found))


def _how_telling(anchors: tuple[Anchor, ...]) -> tuple[int, int, int]:
    """Less is better: the sort of text, then how many, then how short."""
    weakest = max(_MOST_TELLING.index(anchor.operation) for anchor in anchors)
    return weakest, len(anchors), -min(len(anchor.text) for anchor in anchors)


def _of_expression(pattern: str) -> tuple[Anchor, ...] | None:
    """What a regular expression cannot do without: the text that it begins with, else its longest plain text.

    Only what is read for certain: a pattern with alternatives at its top or with anything unusual in it tells nothing.
    """
    runs = _plain_runs(pattern.removeprefix("^"))
    if not runs:
        return None
    if pattern.startswith("^") and runs[0]:
        return (Anchor("starts_with", runs[0]),)
    longest = max(runs, key=len)
    return (Anchor("contains", longest),) if longest else None


def _plain_runs(body: str) -> list[str] | None:
    """Texts at the top of an expression that each match has to hold; the first is what it begins with, maybe ""."""
    runs, run, place = [], "", 0
    while place < len(body):
        sign, following = body[place], body[place + 1 : place + 2]
        if sign not in _SPECIAL:
            run += sign
            place += 1
            continue
        if sign == "\\" and following and not following.isalnum():
            run += following
            place += 2
            continue
        if sign in "?*{":
            # What is repeated may be missing.
            run = run[:-1]
        end = _end_of_special(body, place)
        if end is None:
            return None
        runs.append(run)
        run, place = "", end
    return [*runs, run]


def _end_of_special(body: str, place: int) -> int | None:
    """Where a class, a group, a repetition or the like ends that begins at `place`; None for what is not read here."""
    sign = body[place]
    if sign in ".$?*+":
        return place + 1
    found = None
    if sign == "\\":
        found = _CLASS_ESCAPE.match(body, place)
    elif sign == "{":
        found = _REPETITION.match(body, place)
    elif sign == "[":
        found = _CLASS.match(body, place)
    if found is not None:
        return found.end()
    if sign != "(" or (body[place + 1 : place + 2] == "?" and body[place + 2 : place + 3] != ":"):
        return None
    depth = 0
    while place < len(body):
        inner = _CLASS.match(body, place)
        if inner is not None:
            place = inner.end()
            continue
        depth += {"(": 1, ")": -1}.get(body[place], 0)
        place += 2 if body[place] == "\\" else 1
        if not depth:
            return place
    return None

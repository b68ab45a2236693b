"""Which models a price is for: rules over the model's name, with the semantics of genai-prices' match clauses.

Names are compared without regard to case; a regular expression is searched in the lower-cased name, as it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

Operation = Literal["equals", "starts_with", "ends_with", "contains", "regex", "or", "and", "not"]
_TEXT_OPERATIONS: Final = ("equals", "starts_with", "ends_with", "contains", "regex")
_COMPACT_DATE: Final = re.compile(r"-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")


@dataclass(frozen=True, slots=True)
class Match:
    """One rule: an operation on `text`, `or`/`and` over `rules`, or `not` of the one in `rules`."""

    operation: Operation
    text: str = ""
    rules: tuple["Match", ...] = ()

    def holds(self, name: str) -> bool:
        """Whether the rule means the model `name`, which must be in lower case."""
        match self.operation:
            case "equals":
                return name == self.text.lower()
            case "starts_with":
                return name.startswith(self.text.lower())
            case "ends_with":
                return name.endswith(self.text.lower())
            case "contains":
                return self.text.lower() in name
            case "regex":
                return re.search(self.text, name) is not None
            case "or":
                return any(rule.holds(name) for rule in self.rules)
            case "and":
                return all(rule.holds(name) for rule in self.rules)
            case "not":
                return not self.rules[0].holds(name)

    def __str__(self) -> str:
        if self.operation in _TEXT_OPERATIONS:
            return f"{self.operation} {self.text}"
        if self.operation == "not":
            return f"not {self.rules[0]}"
        return "(" + f" {self.operation} ".join(str(rule) for rule in self.rules) + ")"


def match_from_names(names: tuple[str, ...]) -> Match:
    """A rule that means any of `names`; a name that ends in a star means every name that begins so."""
    rules = tuple(
        Match("starts_with", name[:-1]) if name.endswith("*") else Match("equals", name) for name in names
    )
    return rules[0] if len(rules) == 1 else Match("or", rules=rules)


def match_from_mapping(clause: object) -> Match:
    """A rule from its written form: an operation and its text, `or`/`and` and a list of rules, or `not` and a rule.

    Raises ValueError, with what is wrong, for anything else.
    """
    if not isinstance(clause, Mapping) or len(clause) != 1:
        raise ValueError(
            f"a match rule has one operation, such as {{ starts_with = 'gpt-4o' }}, not {clause!r}"
        )
    operation, value = next(iter(clause.items()))
    if operation in _TEXT_OPERATIONS and isinstance(value, str) and value:
        if operation == "regex":
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"{value!r} is not a regular expression: {error}") from error
        return Match(operation, value)
    if operation in ("or", "and") and isinstance(value, list) and value:
        return Match(operation, rules=tuple(match_from_mapping(rule) for rule in value))
    if operation == "not" and isinstance(value, Mapping):
        return Match(operation, rules=(match_from_mapping(value),))
    known = ", ".join((*_TEXT_OPERATIONS, "or", "and", "not"))
    raise ValueError(f"match rule {operation!r} with {value!r}; the operations are {known}")


def rules_of(match: Match) -> tuple[Match, ...]:
    """The rules each of which is enough for a model to be meant."""
    return match.rules if match.operation == "or" else (match,)


def match_from_clause(clause: Any) -> Match:
    """A rule from a genai-prices clause object. Raises ValueError for a kind of clause that is not known here."""
    fields = vars(clause)
    if len(fields) == 1:
        name, value = next(iter(fields.items()))
        operation = name.rstrip("_")
        if operation in _TEXT_OPERATIONS and isinstance(value, str):
            return Match(operation, value)
        if operation in ("or", "and") and isinstance(value, list):
            return Match(operation, rules=tuple(match_from_clause(rule) for rule in value))
    raise ValueError(f"genai-prices clause {clause!r} is of a kind that is not known here")


def with_dashed_date(name: str) -> str:
    """`name` with a compact date in it (-20251211) written with dashes (-2025-12-11), else as it is."""

    def dashed(found: re.Match[str]) -> str:
        year, month, day = (int(group) for group in found.groups())
        try:
            date(year, month, day)
        except ValueError:
            return found.group(0)
        return f"-{year:04d}-{month:02d}-{day:02d}"

    return _COMPACT_DATE.sub(dashed, name)

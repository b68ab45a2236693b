"""A model as the catalog knows it, and the state that it is in on a day.

Every fact has a source: the page, the day it was seen, and through what it was seen. What no source says is None or
empty, never a guess; an ability that no source speaks of is neither can nor cannot.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from tokenweir.pricing.matching import Match

State = Literal["announced", "active", "deprecated", "retired", "unknown"]
STATES: Final[tuple[State, ...]] = ("announced", "active", "deprecated", "retired", "unknown")
OPERATIONS: Final = (
    "chat",
    "embedding",
    "image",
    "moderation",
    "music",
    "ocr",
    "realtime",
    "rerank",
    "speech",
    "text_completion",
    "transcription",
    "video",
)
MODALITIES: Final = ("audio", "image", "pdf", "text", "video")
ABILITIES: Final = ("batch", "cache", "reasoning", "tools")


class Source(NamedTuple):
    """Where a fact stood. page: an address, or a package with its version. via: what was opened, where not the page."""

    page: str
    seen_on: date
    via: str = ""

    def __str__(self) -> str:
        return f"{self.page}, seen on {self.seen_on}" + (f" (via {self.via})" if self.via else "")


class Successor(NamedTuple):
    """A model that takes another's place.

    recommended: False where the vendor names it as one possibility. outside: it is known not to be in the catalog.
    """

    vendor: str
    model: str
    recommended: bool = True
    outside: bool = False


class Stated(NamedTuple):
    """What a source called a model's state, and the day on which it did."""

    state: State
    on: date


class Mistake(NamedTuple):
    """What is wrong with a row: at which key, why, and the fix."""

    key: str
    reason: str
    fix: str


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of one model of a vendor; counts in tokens.

    model: the name by which the vendor bills it. platform: where the vendor offers it, if not at its usual API
    ("vertex"); the facts then hold there only. aliases: other names for it; a star at the end means every name that
    begins so. retires_not_before: the vendor's promise, where it has set no day. recorded_at: when the newest of the
    facts became known here. sources: by the name of the fact.
    """

    vendor: str
    model: str
    recorded_at: datetime
    platform: str = ""
    family: str = ""
    aliases: tuple[str, ...] = ()
    match: Match | None = None
    context_tokens: int | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    operations: tuple[str, ...] = ()
    input: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    can: tuple[str, ...] = ()
    cannot: tuple[str, ...] = ()
    released_on: date | None = None
    deprecated_on: date | None = None
    retires_on: date | None = None
    retires_not_before: date | None = None
    stated: Stated | None = None
    successors: tuple[Successor, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)

    @property
    def longest_input_tokens(self) -> int | None:
        """The longest input it is known to take: its own limit, else the whole context."""
        return self.max_input_tokens if self.max_input_tokens is not None else self.context_tokens

    @property
    def seen_on(self) -> date | None:
        """The newest day on which a source was seen."""
        return max((source.seen_on for source in self.sources.values()), default=None)

    def is_able(self, ability: str) -> bool | None:
        """Whether it has one of ABILITIES; None where no source says."""
        return True if ability in self.can else False if ability in self.cannot else None

    def state_on(self, day: date) -> State:
        """The state on `day`: by its dates, and where they do not say, by what a source had called it by then.

        A state that a source stated holds from the day it was seen until a date says otherwise.
        """
        if self.retires_on is not None and day >= self.retires_on:
            return "retired"
        if self.released_on is not None and day < self.released_on:
            return "announced"
        stated = self.stated if self.stated is not None and day >= self.stated.on else None
        if stated is not None and stated.state == "retired":
            return "retired"
        if self.deprecated_on is not None and day >= self.deprecated_on:
            return "deprecated"
        if stated is not None and not (stated.state == "announced" and self.released_on is not None):
            return stated.state
        ended_on_an_unknown_day = self.stated is not None and (
            (self.stated.state == "deprecated" and self.deprecated_on is None)
            or (self.stated.state == "retired" and self.retires_on is None and self.deprecated_on is None)
        )
        if self.released_on is None or ended_on_an_unknown_day:
            return "unknown"
        return "active"

    def mistake(self) -> Mistake | None:
        """What cannot be together in it; None where all can."""
        dates = [
            (name, day)
            for name in ("released_on", "deprecated_on", "retires_on")
            if (day := getattr(self, name)) is not None
        ]
        for (earlier, first), (later, second) in pairwise(dates):
            if second < first:
                return Mistake(
                    later,
                    f"{later} {second} is before {earlier} {first}",
                    "look both up and mend the wrong one",
                )
        if self.stated is not None:
            state, on = self.stated
            if state == "retired" and self.retires_on is not None and self.retires_on > on:
                return Mistake(
                    "state",
                    f"called retired on {on}, but retires_on is {self.retires_on}",
                    "give the state and the date from the same page",
                )
            ended = self.deprecated_on or self.retires_on
            if state in ("announced", "active") and ended is not None and ended <= on:
                return Mistake(
                    "state",
                    f"called {state} on {on}, but it ended on {ended}",
                    "leave the older of the two out",
                )
        if both := sorted(set(self.can) & set(self.cannot)):
            return Mistake("cannot", f"{both[0]} is in can and in cannot", "keep one")
        if self.context_tokens is not None:
            for name in ("max_input_tokens", "max_output_tokens"):
                count = getattr(self, name)
                if count is not None and count > self.context_tokens:
                    return Mistake(
                        name,
                        f"{name} {count} is more than context_tokens {self.context_tokens}",
                        "context_tokens counts input and output together",
                    )
        return None


class Found(NamedTuple):
    """A model found by a name.

    how: `name`, its own; `alias`, another name; `pointer`, a name that means it on that day; `dated`, a dated name
    that the catalog does not have, read as the undated one.
    """

    model: Model
    how: Literal["name", "alias", "pointer", "dated"]

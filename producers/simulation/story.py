"""The ground truth of a simulated fleet: what was planted, where, when, why, and what was left alone on purpose.

Written beside the data as `story.json`; detectors are judged by it. Times are UTC; shares and ratios are plain
numbers; nothing in it is money, because what a call costs is for the price book to say.
"""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

STORY_VERSION: Final = 1

IncidentKind = Literal["price_cut", "retirement", "runaway_loop", "vendor_outage", "free_pack_exhausted"]
ControlKind = Literal["quiet", "nightly_batch", "steady_growth", "same_model_elsewhere", "brief_failover"]

Scope = Annotated[
    dict[str, str], Field(description="Names of UsageEvent fields and their values; all must match.")
]


class _Truth(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Contributor(_Truth):
    """What a good explanation names, the first one first. `component` is one step of the cost bridge."""

    component: Literal["calls", "tokens_per_call", "cache_share", "price", "model_mix", "errors", "allowance"]
    scope: Scope


class Move(_Truth):
    """One workload's traffic going from one model to another. `share` of its calls have moved at `ended_at`."""

    scope: Scope
    from_vendor: str
    from_model: str
    to_vendor: str
    to_model: str
    started_at: AwareDatetime
    ended_at: AwareDatetime
    share: float


class Incident(_Truth):
    """One planted cause. `scope` is the level where it sits, not each level above at which it can be seen."""

    id: str
    kind: IncidentKind
    scope: Scope
    started_at: AwareDatetime
    ended_at: AwareDatetime
    cause: str
    contributors: tuple[Contributor, ...]
    magnitude: dict[str, float]
    moves: tuple[Move, ...] = ()


class Control(_Truth):
    """Something that looks as if it mattered, or nothing at all: a detector should stay silent about it."""

    id: str
    kind: ControlKind
    scope: Scope
    reason: str


class Story(_Truth):
    """Everything that was planted in one simulated run, and the arguments that make the same run again."""

    version: int = STORY_VERSION
    tenant: str
    seed: int
    days: int
    calls_scale: float
    started_at: AwareDatetime
    ended_at: AwareDatetime
    incidents: tuple[Incident, ...]
    controls: tuple[Control, ...]

    def to_json(self) -> str:
        """The story as indented JSON with a line end: what goes into `story.json`."""
        return self.model_dump_json(indent=2) + "\n"

    def of_kind(self, kind: IncidentKind) -> tuple[Incident, ...]:
        """The incidents of one kind, in the order in which they begin."""
        return tuple(incident for incident in self.incidents if incident.kind == kind)

    def active_at(self, moment: datetime) -> tuple[Incident, ...]:
        """The incidents under way at `moment`, their first instant included and their last one not."""
        return tuple(i for i in self.incidents if i.started_at <= moment < i.ended_at)

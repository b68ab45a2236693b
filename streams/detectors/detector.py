"""What a detector is, and what it says: conditions, each so as long as it is said.

A detector knows no Kafka, no clock and no environment. It says in each minute what is so; whether that opens an
incident, changes one or ends one is for `streams.detectors.incidents` to tell.

Invariants that every detector keeps:
- the same minutes give the same conditions, in every process;
- `restore(state())` goes on exactly as it would have;
- memory and time are linear in the live series, and series that are long silent are forgotten.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple, Protocol

from streams.detectors.minute import TenantMinute
from tokenweir.catalog import Catalog
from tokenweir.pricing import PriceBook
from tokenweir.settings import DetectionSettings
from tokenweir.signals import Contributor, Severity


class Condition(NamedTuple):
    """Something that is so, as long as a detector says it in each minute.

    kind: the detector's. subject: what makes it one incident within the kind and scope ("team=search", a budget's name
    and threshold, "a>b"). scope: names of event fields and their values, the level where the cause sits, without the
    tenant. value and baseline: in `unit`. title and explanation: for a person, who, what, why and dollars a day.
    contributors: the first cause first. evidence: plain JSON. quiet_minutes: how many minutes it has to be
    unsaid before it is over. is_event: a thing that happened (a price moved), over at once however often it is said.
    cause: conditions of one kind and one cause whose scopes lie within each other are one incident, reported at one
    level; None takes the subject for it. stage: where a thing with stages stands ("half_way"); another one is told.
    told_before: scopes at which the same was told before: an incident of this cause there goes on here.
    """

    kind: str
    subject: str
    scope: dict[str, str]
    severity: Severity
    started_at: datetime
    value: float | None
    baseline: float | None
    unit: str
    impact_usd_per_day: Decimal | None
    title: str
    explanation: str
    contributors: tuple[Contributor, ...] = ()
    evidence: dict[str, Any] = {}  # noqa: RUF012 - read only, as everything here
    quiet_minutes: int = 15
    is_event: bool = False
    cause: str | None = None
    stage: str = ""
    told_before: tuple[dict[str, str], ...] = ()


class Detector(Protocol):
    """One tenant's detector of one kind."""

    kind: ClassVar[str]
    early: ClassVar[bool]
    """Whether it wants open minutes too."""

    def observe(self, minute: TenantMinute) -> list[Condition]:
        """What is so. Called for each whole minute, silent ones included, in order; open ones in between if `early`.

        What an open minute says is taken as said in that minute; it need not repeat what the last whole minute said.
        """
        ...

    def state(self) -> bytes:
        """All that it knows, as plain data. Called between whole minutes only."""
        ...

    def restore(self, state: bytes) -> None:
        """Take up what `state` gave. Raises ValueError for a form that it does not know; it then begins anew."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What detectors may ask, all of it pure. `settings` holds what people set: budgets and the like."""

    book: PriceBook
    catalog: Catalog
    settings: DetectionSettings

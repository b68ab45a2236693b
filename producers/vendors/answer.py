"""What a vendor's answer looks like to a reader, and what a reader gives back.

`Answer` reads a decoded JSON body by dotted path and names the path in every complaint, so that a reader is a
list of paths. `Reading` is what one billed call turned out to be, before it has a name and a reporter.

Invariants: no text of a prompt or of an answer gets past this module, neither in a Reading nor in an error;
counts that a vendor leaves out or sends as null are 0.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from producers.vendors.numbers import is_sensible
from tokenweir.errors import RejectedInput
from tokenweir.usage.event import EARLIEST_TIME
from tokenweir.usage.identity import new_event_id

UNKNOWN_MODEL: Final = "unknown"
"""Model of an answer that names none (Gemini embeddings, transcriptions): counted, and visibly without a price."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_PARTS: Final[dict[str, tuple[str, ...]]] = {}
"""Paths that readers have asked for, split. Readers name some dozens; paths never come from input."""

_TIERS: Final = {
    "": "",
    "default": "standard",
    "on_demand": "standard",
    "on_demand_priority": "priority",
    "on_demand_flex": "flex",
    "on_demand_offpeak": "offpeak",
    "provisioned_throughput": "provisioned",
}
"""Vendors' words for a service tier (lower case) that are not ours; every other word is taken as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerContext:
    """What the caller knows of a call that its answer does not say.

    source: who reports the call. now: UTC, against which a time in the future is seen. time: when the vendor
    finished, for answers that do not say so; `now` where it is None. fields: fields of UsageEvent that hold
    whatever the answer says, e.g. team, tags, requested_model, duration_ms, service_tier. make_id: names a call
    whose answer has no id; without it a UUIDv7 under `source`.
    """

    source: str
    now: datetime
    time: datetime | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    make_id: Callable[[], str] | None = None

    def new_id(self) -> str:
        """The name of a call whose answer has none."""
        return self.make_id() if self.make_id is not None else new_event_id(self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One billed call as its answer tells it.

    counts: token fields of UsageEvent, inclusive totals with subsets. units: other meters. facts: further fields of
    UsageEvent that the answer states, e.g. reported_cost, duration_ms, ttft_ms, requested_model; empty ones are left
    out. stated_total: the sum of input and output as the vendor states it, which what was read is checked against.
    inner: calls that were billed within this one at another model's price or outside its totals, each with its own
    counts.
    """

    model: str
    counts: Mapping[str, int]
    response_id: str = ""
    time: datetime | None = None
    operation: str = "chat"
    region: str = ""
    service_tier: str = ""
    units: Mapping[str, Decimal] = field(default_factory=dict)
    status: str = "ok"
    error_code: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    stated_total: int | None = None
    inner: tuple["Reading", ...] = ()


class Answer:
    """A decoded JSON object, read by dotted paths. `at` is the path at which it stands in the whole answer."""

    __slots__ = ("at", "body")

    def __init__(self, body: Mapping[str, Any], at: str = "") -> None:
        self.body = body
        self.at = at

    def find(self, path: str) -> Any:
        """The value at `path`; None where it is missing or null. Raises RejectedInput where a parent is no object."""
        value: Any = self.body
        parts = _PARTS.get(path)
        if parts is None:
            parts = _PARTS[path] = tuple(path.split("."))
        for depth, part in enumerate(parts):
            if type(value) is not dict and not isinstance(value, Mapping):
                if value is None:
                    return None
                raise self.refusal("wrong_type", ".".join(parts[:depth]), "is not an object")
            value = value.get(part)
        return value

    def part(self, path: str) -> "Answer":
        """The object at `path`. Raises RejectedInput where there is none."""
        value = self.find(path)
        if value is None:
            raise self.refusal("missing_field", path, "is missing")
        if not isinstance(value, Mapping):
            raise self.refusal("wrong_type", path, "is not an object")
        return Answer(value, self._full(path))

    def parts(self, path: str) -> list["Answer"]:
        """The objects of the array at `path`; none where it is missing. Items that are no objects are left out."""
        value = self.find(path)
        if value is None:
            return []
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise self.refusal("wrong_type", path, "is not an array")
        return [
            Answer(item, f"{self._full(path)}.{position}")
            for position, item in enumerate(value)
            if isinstance(item, Mapping)
        ]

    def count(self, *paths: str) -> int:
        """The whole number at the first of `paths` that is there, else 0."""
        for path in paths:
            value = self.find(path)
            if value is None:
                continue
            if type(value) is not int:
                number = _decimal(value)
                if number is None or number != int(number):
                    raise self.refusal("wrong_type", path, "is not a whole number")
                value = int(number)
            if value < 0:
                raise self.refusal("out_of_range", path, "is negative")
            return value
        return 0

    def total(self, path: str) -> int | None:
        """The whole number at `path`; None for everything else: a total is checked against and never counted."""
        try:
            value = self.find(path)
        except RejectedInput:
            return None
        if type(value) is int:
            return value
        number = _decimal(value)
        return int(number) if number is not None and number == int(number) else None

    def amount(self, path: str) -> Decimal | None:
        """The number at `path`, exact as it was written; None where there is none."""
        value = self.find(path)
        if value is None:
            return None
        number = _decimal(value)
        if number is None:
            raise self.refusal("wrong_type", path, "is not a number")
        if number < 0:
            raise self.refusal("out_of_range", path, "is negative")
        return number

    def text(self, *paths: str) -> str:
        """The string at the first of `paths` that holds one, else ""."""
        for path in paths:
            value = self.find(path)
            if value is None or value == "":
                continue
            if not isinstance(value, str):
                raise self.refusal("wrong_type", path, "is not a string")
            return value
        return ""

    def moment(self, *paths: str) -> datetime | None:
        """The time at the first of `paths` that is there: Unix seconds, or ISO 8601 (UTC where it names no zone).

        A time before 2020 (Azure sends 0) is none.
        """
        for path in paths:
            value = self.find(path)
            if value is None:
                continue
            moment = self._moment(path, value)
            if moment >= EARLIEST_TIME:
                return moment
        return None

    def has_any(self, *paths: str) -> bool:
        """Whether one of `paths` is there and not null. A parent that is no object counts as missing."""
        for path in paths:
            try:
                if self.find(path) is not None:
                    return True
            except RejectedInput:
                continue
        return False

    def need_any(self, *paths: str) -> None:
        """Raises RejectedInput where none of `paths` is there: the answer states no usage."""
        if not self.has_any(*paths):
            hint = "An answer that was billed says how many tokens it took; an error or a chunk of a stream need not"
            raise self.refusal("missing_field", paths[0], "is missing", hint=hint)

    def refusal(self, reason: str, path: str, complaint: str, *, hint: str = "") -> RejectedInput:
        """The error that names `path` as the field at fault."""
        full = self._full(path)
        return RejectedInput(reason, f"{full} {complaint}", field=full, hint=hint)

    def _full(self, path: str) -> str:
        return f"{self.at}.{path}" if self.at else path

    def _moment(self, path: str, value: Any) -> datetime:
        try:
            if isinstance(value, str):
                moment = datetime.fromisoformat(value)
                return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
            if type(value) is int:
                return _EPOCH + timedelta(seconds=value)
            number = _decimal(value)
            if number is not None:
                return _EPOCH + timedelta(microseconds=int(number * 1_000_000))
        except (ValueError, OverflowError):
            raise self.refusal("implausible_time", path, "is not a time") from None
        raise self.refusal("wrong_type", path, "is not a time")


def _decimal(value: Any) -> Decimal | None:
    """A JSON number that is safe to count with, as it was written; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    return number if is_sensible(number) else None


def service_tier(word: str) -> str:
    """Our name of a service tier that an answer states in its vendor's words; "" where it states none."""
    lowered = word.lower()
    return _TIERS.get(lowered, lowered)


def whole_units(**counts: int) -> dict[str, Decimal]:
    """Units of the counts that are not 0."""
    return {name: Decimal(count) for name, count in counts.items() if count}

"""Names that mean a model: a company's aliases, and Bedrock's geographic inference profiles.

An alias is followed once: what it means is taken as it stands. An alias moves by ending and beginning on a date, and is
known since `recorded_at`, as a price is.

A geographic inference profile (us.amazon.nova-pro-v1:0) costs what the model costs in the region that is called, a
global one is cheaper for some models (AWS, Bedrock user guide, "Increase throughput with cross-Region inference", read
November 2026). So the first means the model where the profile itself has no price; a global one never does, and neither
does one of GovCloud, which has prices of its own.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from tokenweir.pricing.matching import Match
from tokenweir.pricing.price import Period

_GEOGRAPHIC_PROFILE: Final = re.compile(
    r"(?:arn:aws:bedrock:.*/)?((?:us|eu|apac|jp|au|ca)\.)([a-z0-9-]+\..+)", re.IGNORECASE
)
_PROFILE_ARN: Final = re.compile(r"arn:aws:bedrock:.*/([^/]+)")


class Meaning(NamedTuple):
    """A model by vendor and name. mark: which alias led to it, "" where none did."""

    vendor: str
    model: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Alias(Period):
    """`match` of `vendor` means `model` of `means_vendor` from `valid_from` up to but not `valid_to`."""

    alias_id: str
    vendor: str
    match: Match
    means_vendor: str
    means_model: str
    recorded_at: datetime
    source: str
    valid_from: datetime | None = None
    valid_to: datetime | None = None


class Aliases:
    """A company's aliases. A name itself goes before a rule, then the later known, then the later in the file."""

    def __init__(self, aliases: Iterable[Alias] = ()) -> None:
        self._aliases: dict[str, list[tuple[int, Alias]]] = {}
        self._recorded_times: set[datetime] = set()
        for position, alias in enumerate(aliases):
            self._aliases.setdefault(alias.vendor, []).append((position, alias))
            self._recorded_times.add(alias.recorded_at)

    def __iter__(self) -> Iterator[Alias]:
        return (alias for of_vendor in self._aliases.values() for _, alias in of_vendor)

    @property
    def vendors(self) -> set[str]:
        """Whose names are aliases."""
        return set(self._aliases)

    def recorded_times(self) -> set[datetime]:
        """When any of the aliases became known."""
        return self._recorded_times

    def of(self, vendor: str, model: str, known_at: datetime) -> list[Alias]:
        """The aliases that `model` may stand for at one time or another, in order of precedence."""
        name = model.lower()
        fitting = [
            ((_names_exactly(alias.match, name), alias.recorded_at, position), alias)
            for position, alias in self._aliases.get(vendor, ())
            if alias.recorded_at <= known_at and alias.match.holds(name)
        ]
        fitting.sort(key=lambda pair: pair[0], reverse=True)
        return [alias for _, alias in fitting]


def _names_exactly(match: Match, name: str) -> bool:
    rules = match.rules if match.operation == "or" else (match,)
    return any(rule.operation == "equals" and rule.text.lower() == name for rule in rules)


def profile_model(vendor: str, model: str) -> Meaning | None:
    """The model behind a Bedrock inference profile's id or ARN; None for any other name."""
    if vendor != "aws":
        return None
    found = _GEOGRAPHIC_PROFILE.fullmatch(model)
    if found is not None:
        return Meaning(vendor, found.group(2), f"bedrock:{found.group(1).lower()}*")
    found = _PROFILE_ARN.fullmatch(model)
    if found is not None:
        return Meaning(vendor, found.group(1), "bedrock:arn")
    return None

"""What a reader chose, as it stands in the address of a question: period, groups, and values of the variables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from multidict import MultiMapping

from dashboards.panels.question import Choice
from dashboards.panels.variables import INCIDENT, VARIABLES
from dashboards.period import RANGES, Period, moment, period_between, rolling_period
from tokenweir.errors import WrongCall

_PERIOD: Final = ("range", "since", "until")
_SINGLE: Final = (*_PERIOD, "by", "then_by", INCIDENT)
_LONGEST_VALUE: Final = 1_000
_EMPTY_LEDGER: Final = RANGES["24h"]


@dataclass(frozen=True)
class Asked:
    """An address, read. range: one of RANGES, "all", or empty where since and until say it (RFC 3339)."""

    range: str
    since: str
    until: str
    where: Mapping[str, Sequence[str]]
    by: str
    then_by: str
    incident: str

    def period(self, now: datetime, first: datetime | None) -> Period:
        """The stretch of time. first: when the ledger begins, None while it is empty. Raises WrongCall."""
        if self.since or self.until or not self.range:
            until = moment(self.until) if self.until else now
            since = moment(self.since) if self.since else first or until - _EMPTY_LEDGER
            return period_between(since, until)
        if self.range == "all":
            return period_between(first or now - _EMPTY_LEDGER, now)
        return rolling_period(self.range, now)

    def choice(self, now: datetime, first: datetime | None) -> Choice:
        """What panels are asked with. Raises WrongCall."""
        return Choice(
            self.period(now, first),
            where=self.where,
            by=self.by,
            then_by=self.then_by,
            incident=self.incident,
        )


def read_address(given: MultiMapping[str], *, usual_range: str, besides: Sequence[str] = ()) -> Asked:
    """The address as a question. usual_range: where it names no period. besides: further parameters that may stand
    in it. Raises WrongCall for what cannot be asked."""
    known = {*_SINGLE, *VARIABLES, *besides}
    unknown = set(given) - known
    if unknown:
        raise WrongCall(
            f"unknown parameter {', '.join(sorted(unknown))}", hint=f"Known are {', '.join(sorted(known))}"
        )
    where = {name: given.getall(name) for name in VARIABLES if name in given}
    if any(len(value) > _LONGEST_VALUE for value in given.values()):
        raise WrongCall(f"a value is longer than {_LONGEST_VALUE} characters")
    name = given.get("range", "" if "since" in given or "until" in given else usual_range)
    if name not in (*RANGES, "all", ""):
        raise WrongCall(f"no range {name!r}", hint=f"Choose one of {', '.join(RANGES)}, all")
    return Asked(
        range=name,
        since=given.get("since", ""),
        until=given.get("until", ""),
        where=where,
        by=given.get("by", "team"),
        then_by=given.get("then_by", "model"),
        incident=given.get(INCIDENT, ""),
    )

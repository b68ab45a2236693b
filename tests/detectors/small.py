"""A small detector for the tests of what is around detectors: a team that spends more than a dollar in a minute."""

import json
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar

from streams.detectors.detector import Condition
from streams.detectors.minute import TenantMinute
from tokenweir.signals import Severity

_PICOS: int = 10**12


class DearTeams:
    """Says a team for as long as it spends more than a dollar a minute; critical above a hundred."""

    kind: ClassVar[str] = "dear_team"
    early: ClassVar[bool] = True

    def __init__(self) -> None:
        self.minutes = 0
        self.begun: dict[str, int] = {}

    def observe(self, minute: TenantMinute) -> list[Condition]:
        """The teams that are dear in this minute."""
        cost: Counter[str] = Counter()
        for row in minute.rows:
            cost[row.names["team"]] += row.sums.cost_picos
        if minute.is_whole:
            self.minutes += 1
            self.begun = {
                team: self.begun.get(team, minute.minute) for team in sorted(cost) if cost[team] > _PICOS
            }
        return [self._condition(team, cost[team], minute) for team in sorted(cost) if cost[team] > _PICOS]

    def _condition(self, team: str, cost_picos: int, minute: TenantMinute) -> Condition:
        dollars = Decimal(cost_picos) / _PICOS
        severity: Severity = "critical" if dollars > 100 else "warning"
        since = minute.minute - self.begun.get(team, minute.minute)
        return Condition(
            kind=self.kind,
            subject="",
            scope={"team": team},
            severity=severity,
            started_at=minute.start - timedelta(minutes=since),
            value=float(dollars),
            baseline=1.0,
            unit="usd_per_minute",
            impact_usd_per_day=dollars * 1440,
            title=f"{team} is dear",
            explanation=f"{team} spends ${dollars:.2f} a minute.",
            evidence={"minutes_seen": self.minutes},
            quiet_minutes=2,
        )

    def state(self) -> bytes:
        """All that it knows."""
        return json.dumps([self.minutes, self.begun]).encode()

    def restore(self, state: bytes) -> None:
        """Take up what `state` gave."""
        self.minutes, self.begun = json.loads(state)

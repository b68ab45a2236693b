"""What an alert rule is: a question to the ledger, when its answer is an alert, and what is said then.

A rule knows nothing of Grafana's JSON. Its SQL answers rows of text columns and one number; each row whose number is
above `above` for `pending_seconds` is an alert of its own, named by the texts, which therefore must not change while it
goes on. Texts for people may hold Go templates: `{{ .Labels.NAME }}` is a text column, `{{ .Values.A.Value }}` the
number.

Invariants, held when a rule is made: the SQL has no slot but `@ledger`; nothing has a dollar sign, which in the files
that Grafana reads at its start would be a variable of the environment.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from dashboards.panels.template import slots_of

Severity = Literal["warning", "critical"]
NoDataState = Literal["OK", "Alerting", "NoData", "KeepLast"]
ErrorState = Literal["OK", "Alerting", "Error", "KeepLast"]
ANY_ROW: Final = -1e15
"""As `above`: every row is an alert, whatever it is worth."""


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated together, so often."""

    name: str
    interval_seconds: int


@dataclass(frozen=True)
class AlertRule:
    """One rule.

    name: lower case with dashes; it stands in the uid, so it does not change. no_data: the state
    where there is no row. error: the state where the ledger cannot be asked. board: the dashboard that is linked, where
    there is one of that name. panel: of that board; its first where none is named.
    """

    name: str
    title: str
    severity: Severity
    summary: str
    description: str
    sql: str
    above: float
    group: Group
    no_data: NoDataState
    error: ErrorState
    pending_seconds: int = 0
    board: str = "signals"
    panel: str = ""

    @property
    def runbook(self) -> str:
        """The file in docs/runbooks; of a kind of signal it bears the kind's name, as links of messages do."""
        return f"{self.name.replace('-', '_')}.md"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z]+(-[a-z]+)*", self.name):
            raise ValueError(f"a rule's name is lower case with dashes, not {self.name!r}")
        if slots_of(self.sql) != {"ledger"}:
            raise ValueError(f"rule {self.name!r} may only have the slot @ledger")
        if any("$" in text for text in (self.sql, self.summary, self.description)):
            raise ValueError(f"rule {self.name!r} has a dollar sign, which Grafana's files would expand")
        if self.pending_seconds % self.group.interval_seconds:
            raise ValueError(f"rule {self.name!r} waits for no whole number of evaluations")

"""Signal: one thing said of one incident. It opened, it changed, it is over.

Invariants:
- an incident is opened once and resolved once; what comes between are updates. All bear its `incident` name;
- of one `fingerprint` at most one incident is open at a time;
- `id` follows from the incident and the number of the signal in it, so that a signal said twice replaces itself.

Money is `Decimal` USD, written to JSON as a decimal string; an impact that is not known is null, never 0.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from tokenweir.usage.event import Moment
from tokenweir.usage.metered import Money

SignalState = Literal["open", "update", "resolved"]
Severity = Literal["info", "warning", "critical"]

SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "critical")
"""From the least to the most."""

Change = Literal[
    "",
    "severity_up",
    "severity_down",
    "worse",
    "better",
    "stage",
    "scope",
    "first_contributor",
    "acknowledged",
    "muted",
]
"""What an update is about."""

_Text = Annotated[str, Field(max_length=4000)]
_Scope = Annotated[
    dict[str, str], Field(description="Names of UsageEvent fields and their values; `tenant` among them.")
]


class Contributor(BaseModel):
    """What an incident's money comes from. `component` is a step of the cost bridge, or what else changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    component: Annotated[str, Field(min_length=1, max_length=64)] = Field(
        description="calls, tokens_per_call, cache_share, price, model_mix, errors, allowance, latency…"
    )
    scope: _Scope = Field(default_factory=dict)
    usd_per_day: Money | None = None
    text: _Text = Field(default="", description="A sentence for a person.")


class Signal(BaseModel):
    """One thing said of one incident. Times are UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        description="`<incident>/<number of the signal in it>`; the same when it is said again."
    )
    fingerprint: Annotated[str, Field(min_length=1, max_length=128)] = Field(
        description="What the incident is about: the same for kind, tenant, scope and subject."
    )
    incident: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="Names one incident of the fingerprint, from its opening to its resolution."
    )
    kind: Annotated[str, Field(min_length=1, max_length=64)] = Field(
        description="The detector's: cost_spike, budget, latency, migration…"
    )
    subject: Annotated[str, Field(max_length=512)] = Field(
        default="", description="What tells it from others of its kind and scope."
    )
    state: SignalState
    change: Change = Field(default="", description="What an update is about.")
    severity: Severity
    scope: _Scope
    started_at: Moment = Field(description="When what is signalled began, as far as the detector can tell.")
    observed_at: Moment = Field(
        description="The end of the minute, or the moment within it, at which it was seen."
    )
    value: float | None = Field(default=None, allow_inf_nan=False)
    baseline: float | None = Field(default=None, allow_inf_nan=False, description="What is usual.")
    unit: Annotated[str, Field(max_length=64)] = Field(default="", description="Of value and baseline.")
    impact_usd_per_day: Money | None = None
    title: Annotated[str, Field(min_length=1, max_length=400)]
    explanation: _Text = Field(description="A sentence that a person can act on.")
    contributors: tuple[Contributor, ...] = ()
    evidence: dict[str, Any] = Field(default_factory=dict, description="Plain JSON, by the detector.")
    acknowledged_by: Annotated[str, Field(max_length=256)] = Field(
        default="", description="Who has taken it up."
    )
    muted_until: Moment | None = Field(default=None, description="Nobody is to be told before this time.")

    def is_muted(self) -> bool:
        """Whether nobody is to be told of this signal."""
        return self.muted_until is not None and self.observed_at < self.muted_until


SIGNAL_FIELDS: Final = tuple(Signal.model_fields)

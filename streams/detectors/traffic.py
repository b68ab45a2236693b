"""What each workload calls: calls by hour and model, and what a model's calls are like. Plain data.

A workload is what team, project, service, environment and operation name together. Its models are kept under
`vendor/model`, as written in the events. Counts by hour reach back KEPT_HOURS; what calls cost and how long they take
is summed over one to two periods of PERIOD_HOURS, in integers, so that it follows a change within days.

Limits: some 10 KB for a workload and model that is called round the clock. Calls that were reported twice count twice,
which leaves shares as they are.
"""

from typing import Any, Final

import msgspec

from streams.histogram import add_buckets, quantile
from streams.windows import GroupSums
from tokenweir.money import decimal_string
from tokenweir.usage.event import TOKEN_FIELDS

KEPT_HOURS: Final = 240
PERIOD_HOURS: Final = 72
WORKLOAD_NAMES: Final = ("team", "project", "service", "environment", "operation")

_FAILED: Final = ("error", "rate_limited", "timeout")
_INPUT: Final = TOKEN_FIELDS.index("input_tokens")
_OUTPUT: Final = TOKEN_FIELDS.index("output_tokens")
_MOST_UNPRICED: Final = 0.1
"""Of the calls that were answered; with more, what a call costs is not known."""

WorkloadKey = tuple[str, ...]
"""The values of WORKLOAD_NAMES."""


class Hours(msgspec.Struct):
    """A count for each of the last KEPT_HOURS. newest: the hour of the last of them, since the Unix epoch."""

    newest: int
    counts: list[int] = msgspec.field(default_factory=lambda: [0] * KEPT_HOURS)

    def add(self, hour: int, count: int) -> None:
        """Add to an hour; to one that is no longer kept, nothing."""
        if hour > self.newest:
            for passed in range(max(self.newest + 1, hour - KEPT_HOURS + 1), hour + 1):
                self.counts[passed % KEPT_HOURS] = 0
            self.newest = hour
        if hour > self.newest - KEPT_HOURS:
            self.counts[hour % KEPT_HOURS] += count

    def until(self, hour: int) -> list[int]:
        """The KEPT_HOURS counts that end with `hour`, the oldest first; `hour` is not before the newest but one."""
        begin = (self.newest + 1) % KEPT_HOURS
        kept = self.counts[begin:] + self.counts[:begin]
        later = hour - self.newest
        if later >= 0:
            return kept[later:] + [0] * min(later, KEPT_HOURS)
        return [0] * -later + kept[:later]


class Figures(msgspec.Struct):
    """Sums over some calls. answered: without those that failed. Buckets as in `streams.histogram`, of all calls."""

    calls: int = 0
    answered: int = 0
    unpriced: int = 0
    cost_picos: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    durations: dict[int, int] = msgspec.field(default_factory=dict)
    ttfts: dict[int, int] = msgspec.field(default_factory=dict)

    def add(self, sums: GroupSums) -> None:
        """Add a minute's sums."""
        self.calls += sums.calls
        self.answered += sums.calls - failures(sums)
        self.unpriced += sums.unpriced_calls
        self.cost_picos += sums.cost_picos
        self.input_tokens += sums.tokens[_INPUT]
        self.output_tokens += sums.tokens[_OUTPUT]
        add_buckets(self.durations, sums.durations)
        add_buckets(self.ttfts, sums.ttfts)

    def merged(self, other: "Figures") -> "Figures":
        """The sums of both."""
        both = Figures(
            self.calls + other.calls,
            self.answered + other.answered,
            self.unpriced + other.unpriced,
            self.cost_picos + other.cost_picos,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            dict(self.durations),
            dict(self.ttfts),
        )
        add_buckets(both.durations, other.durations)
        add_buckets(both.ttfts, other.ttfts)
        return both

    @property
    def failed_share(self) -> float:
        """Of all calls; 0 where there are none."""
        return (self.calls - self.answered) / self.calls if self.calls else 0.0

    @property
    def cost_picos_per_call(self) -> int | None:
        """Of a call that was answered; None where too many have no price, or none was answered."""
        if not self.answered or self.unpriced > _MOST_UNPRICED * self.answered:
            return None
        return self.cost_picos // self.answered

    def plain(self) -> dict[str, Any]:
        """Per call, as plain JSON: dollars as decimal strings, what is not known as null."""
        per_call = self.cost_picos_per_call
        per_thousand = None
        if per_call is not None and self.output_tokens:
            per_thousand = self.cost_picos * 1000 // self.output_tokens
        answered = self.answered or None
        return {
            "calls": self.calls,
            "cost_usd_per_call": None if per_call is None else decimal_string(per_call),
            "cost_usd_per_1000_output_tokens": None if per_thousand is None else decimal_string(per_thousand),
            "input_tokens_per_call": answered and round(self.input_tokens / answered, 1),
            "output_tokens_per_call": answered and round(self.output_tokens / answered, 1),
            "duration_p50_ms": _rounded(quantile(self.durations, 0.5)),
            "duration_p95_ms": _rounded(quantile(self.durations, 0.95)),
            "ttft_p50_ms": _rounded(quantile(self.ttfts, 0.5)),
            "failed_share": round(self.failed_share, 4),
        }


class Traffic(msgspec.Struct):
    """One model's calls in one workload. period: which PERIOD_HOURS `current` are; `previous` are those before."""

    calls: Hours
    failed: Hours
    period: int
    current: Figures = msgspec.field(default_factory=Figures)
    previous: Figures = msgspec.field(default_factory=Figures)

    @classmethod
    def begun(cls, hour: int) -> "Traffic":
        """Without any calls yet."""
        return cls(Hours(hour), Hours(hour), hour // PERIOD_HOURS)

    def add(self, hour: int, sums: GroupSums) -> None:
        """Add a minute's sums to the hour in which it lies."""
        self.calls.add(hour, sums.calls)
        self.failed.add(hour, failures(sums))
        period = hour // PERIOD_HOURS
        if period > self.period:
            self.previous = self.current if period == self.period + 1 else Figures()
            self.current = Figures()
            self.period = period
        if period == self.period:
            self.current.add(sums)
        elif period == self.period - 1:
            self.previous.add(sums)

    def figures(self) -> Figures:
        """Of its last three to six days."""
        return self.previous.merged(self.current)


class Workload(msgspec.Struct):
    """One workload. since_hour: from when on what it calls is taken as its habit."""

    since_hour: int
    models: dict[str, Traffic] = msgspec.field(default_factory=dict)

    def add(self, hour: int, model: str, sums: GroupSums) -> None:
        """Add a minute's sums."""
        traffic = self.models.get(model)
        if traffic is None:
            traffic = self.models[model] = Traffic.begun(hour)
        traffic.add(hour, sums)

    def forget_before(self, hour: int) -> None:
        """Drop the models that have not been called since."""
        self.models = {name: traffic for name, traffic in self.models.items() if traffic.calls.newest >= hour}


def failures(sums: GroupSums) -> int:
    """The calls that got no answer."""
    return sum(sums.statuses[status] for status in _FAILED if status in sums.statuses)


def model_key(vendor: str, model: str) -> str:
    """`vendor/model`; a model's name may have more slashes, a vendor's has none."""
    return f"{vendor}/{model}"


def vendor_and_model(key: str) -> tuple[str, str]:
    """What `model_key` put together."""
    vendor, _, model = key.partition("/")
    return vendor, model


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)

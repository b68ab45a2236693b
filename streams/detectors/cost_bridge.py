"""The cost bridge: what took a cost from what is usual to what it is, in dollars, step by step.

The steps are calls, model mix, tokens per call, cache share and price, in this order; each is the change in cost when
that factor alone goes from its usual to its present value, those before it having gone and those after it not. So the
steps add up to the whole difference. A model that is new has no usual figures: all of its cost is mix.

Figures are floating-point: this explains a bill, it is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

STEPS: Final = ("calls", "model_mix", "tokens_per_call", "cache_share", "price")


@dataclass(slots=True)
class Usage:
    """What some calls of one model come to in a time. cost: USD."""

    calls: float = 0.0
    input_tokens: float = 0.0
    cached_tokens: float = 0.0
    output_tokens: float = 0.0
    cost_usd: float = 0.0

    def add(self, other: "Usage", share: float = 1.0) -> None:
        """Add `share` of another."""
        self.calls += other.calls * share
        self.input_tokens += other.input_tokens * share
        self.cached_tokens += other.cached_tokens * share
        self.output_tokens += other.output_tokens * share
        self.cost_usd += other.cost_usd * share


class Step(NamedTuple):
    """One step of a bridge. component: of STEPS. cost_usd: what it adds; below 0 where it takes away."""

    component: str
    cost_usd: float


def bridge(usual: Mapping[str, Usage], now: Mapping[str, Usage]) -> list[Step]:
    """From `usual` to `now`, both by model and over a time of one length: the largest step first.

    They sum to the difference of the two costs.
    """
    calls_before = sum(usage.calls for usage in usual.values())
    calls_now = sum(usage.calls for usage in now.values())
    cost_before = sum(usage.cost_usd for usage in usual.values())
    cost_now = sum(usage.cost_usd for usage in now.values())
    grown = calls_now / calls_before if calls_before else 0.0
    with_calls = cost_before * grown
    with_mix = with_tokens = with_cache = 0.0
    for model, after in now.items():
        before = usual.get(model)
        if before is None or not before.calls or not after.calls:
            with_mix += after.cost_usd
            with_tokens += after.cost_usd
            with_cache += after.cost_usd
            continue
        mix = before.cost_usd / before.calls * after.calls
        with_mix += mix
        per_call = _weight(after, _cached_share(before)) / after.calls
        per_call_before = _weight(before, _cached_share(before)) / before.calls
        tokens = mix * per_call / per_call_before if per_call_before else mix
        with_tokens += tokens
        weighed = _weight(after, _cached_share(before))
        with_cache += tokens * _weight(after, _cached_share(after)) / weighed if weighed else tokens
    totals = (cost_before, with_calls, with_mix, with_tokens, with_cache, cost_now)
    steps = [
        Step(component, after - before)
        for component, before, after in zip(STEPS, totals, totals[1:], strict=False)
    ]
    return sorted(steps, key=lambda step: -abs(step.cost_usd))


_OUTPUT_WEIGHT: Final = 4.0
_CACHED_WEIGHT: Final = 0.1
"""How much a token costs beside one of plain input, as most vendors charge; what is off by it is in the price step."""


def _weight(usage: Usage, cached_share: float) -> float:
    cached = usage.input_tokens * cached_share
    return usage.input_tokens - cached + cached * _CACHED_WEIGHT + usage.output_tokens * _OUTPUT_WEIGHT


def _cached_share(usage: Usage) -> float:
    return usage.cached_tokens / usage.input_tokens if usage.input_tokens else 0.0

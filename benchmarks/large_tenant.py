"""A made tenant of any size: some services that call round the clock, and very many that call now and then.

Each service belongs to a team, a project and, with some others, to an API key, and calls one to three of MODELS in
shares of its own. How often a service's model is called is lognormal: of three groups two make fewer than three calls
an hour, and one in a hundred makes some a minute. Calls follow the hour of the day, a few fail, and costs, tokens and
times vary from minute to minute. Seeded; nothing happens in it that would have to be told.

Limits: a group's calls of a minute are reported together, in one of the minute's messages, as an emitter that sends
every few seconds mostly does for a group that calls seldom; vendors and models are the same few at every size.
"""

from collections.abc import Sequence
from datetime import datetime
from statistics import NormalDist
from typing import Any, Final, NamedTuple

import numpy as np

from benchmarks.workload import MODELS, Model
from streams.groups import EPOCH, MINUTE
from streams.histogram import bucket_of
from streams.windows import Latency, MinuteWindow
from tokenweir.money import decimal_string

TENANT: Final = "acme"
MESSAGES_A_MINUTE: Final = 12
"""One each five seconds, as often as the open minute is looked at."""

_SERVICES_A_TEAM: Final = 12
_SERVICES_A_PROJECT: Final = 40
_SERVICES_A_KEY: Final = 3
_MODELS_OF_SERVICES: Final = (1, 1, 1, 2, 1, 2, 1, 1, 3, 2)
"""How many models a service calls, in turns: one and a half in the mean."""
_MEDIAN_CALLS_A_MINUTE: Final = 0.02
_SIGMA: Final = 2.0
_MOST_CALLS_A_MINUTE: Final = 20.0
_DAY_SWING: Final = 0.4
_FAIL_SHARES: Final = {"error": 0.01, "rate_limited": 0.005}
_PICOS_A_TOKEN: Final = 1_000_000
_MS_A_TOKEN: Final = 12.0
_STRAYS: Final = 0.25
_PARTITION: Final = "usage/0"


class Group(NamedTuple):
    """One service on one model: names as a window has them, and how many calls it makes a minute in the mean."""

    names: dict[str, Any]
    model: Model
    calls_a_minute: float


class LargeTenant:
    """The groups of so many services and what they report minute by minute. Minutes are asked for in order."""

    def __init__(self, services: int, seed: int = 1) -> None:
        self._dice = np.random.default_rng(seed)
        self.groups = _groups(services, self._dice)
        self._rates = np.array([group.calls_a_minute for group in self.groups])
        self._offset = 0

    def messages(self, minute: int, worth_minutes: int = 1) -> list[list[MinuteWindow]]:
        """What is reported of a minute, by message. worth_minutes: the calls of so many minutes come in this one."""
        hour = minute / 60 % 24
        busy = 1 + _DAY_SWING * np.sin((hour - 8) / 12 * np.pi)
        calls = self._dice.poisson(self._rates * busy * worth_minutes)
        messages: list[list[MinuteWindow]] = [[] for _ in range(MESSAGES_A_MINUTE)]
        at = EPOCH + minute * MINUTE
        places = np.flatnonzero(calls)
        slots = self._dice.integers(0, MESSAGES_A_MINUTE, len(places))
        strays = self._dice.lognormal(0.0, _STRAYS, (len(places), 3))
        failed = self._dice.random((len(places), 2))
        for place, slot, stray, chance in zip(
            places.tolist(), slots.tolist(), strays.tolist(), failed.tolist(), strict=True
        ):
            window = _window(self.groups[place], int(calls[place]), stray, chance, at)
            window.partial_id = f"{_PARTITION}/{self._offset + slot}@{minute * 60_000 + slot * 5_000}"
            messages[slot].append(window)
        self._offset += MESSAGES_A_MINUTE
        return messages


def _groups(services: int, dice: np.random.Generator) -> list[Group]:
    callers = [
        (service, number)
        for service in range(services)
        for number in range(_MODELS_OF_SERVICES[service % len(_MODELS_OF_SERVICES)])
    ]
    rates = np.array(
        [
            min(_MOST_CALLS_A_MINUTE, _MEDIAN_CALLS_A_MINUTE * np.exp(_SIGMA * NormalDist().inv_cdf(share)))
            for share in (np.arange(len(callers)) + 0.5) / len(callers)
        ]
    )
    dice.shuffle(rates)
    return [
        _group(service, MODELS[(service + number * 5) % len(MODELS)], rate)
        for (service, number), rate in zip(callers, rates.tolist(), strict=True)
    ]


def _group(service: int, model: Model, calls_a_minute: float) -> Group:
    names = {
        "tenant": TENANT,
        "team": f"team-{service // _SERVICES_A_TEAM}",
        "project": f"project-{service // _SERVICES_A_PROJECT}",
        "service": f"service-{service}",
        "environment": "production",
        "api_key": f"key-{service // _SERVICES_A_KEY}",
        "vendor": model.vendor,
        "model": model.name,
        "region": model.region,
        "operation": "chat",
        "service_tier": "standard",
    }
    return Group(names, model, calls_a_minute)


def _window(
    group: Group, calls: int, stray: Sequence[float], chance: Sequence[float], at: datetime
) -> MinuteWindow:
    model = group.model
    inputs, outputs = int(calls * model.input_tokens * stray[0]), int(calls * model.output_tokens * stray[1])
    statuses = {"ok": calls}
    for status, lot in zip(("error", "rate_limited"), chance, strict=True):
        # One call of a group at most fails in a minute, with the probability of each of them.
        if lot < _FAIL_SHARES[status] * calls and statuses["ok"]:
            statuses[status] = 1
            statuses["ok"] -= 1
    duration_ms = (300.0 + model.output_tokens * _MS_A_TOKEN) * stray[2]
    buckets = {bucket_of(duration_ms): calls}
    ttfts = {bucket_of(300.0 * stray[2]): calls} if model.output_tokens else {}
    return MinuteWindow(
        partial_id="",
        minute=at,
        calls=calls,
        calls_by_status=statuses,
        tokens={
            "input_tokens": inputs,
            "cache_read_tokens": int(inputs * model.cached),
            "output_tokens": outputs,
            "reasoning_tokens": int(outputs * model.reasoning),
        },
        cost=decimal_string((inputs + 4 * outputs) * _PICOS_A_TOKEN),
        duration_ms=Latency(buckets=buckets),
        ttft_ms=Latency(buckets=ttfts),
        **group.names,
    )

"""One workload's calls as events: tokens, latency, outcome, who reports it, and when.

Each workload draws from a generator of its own, so that what happens to one changes nothing for the others.
What is the same for all calls of a route is validated once, in a template; what differs is put into a copy, which
pydantic does not check again. That every event so made is valid is for the tests to hold.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from producers.simulation.fleet import FAILOVERS, LATE_SERVICES, SHAPES, Workload
from producers.simulation.models import MODELS, VENDORS, ModelHabits
from producers.simulation.plot import HOUR_MS, MINUTE_MS, Plot
from tokenweir.usage import UsageEvent
from tokenweir.usage.identity import vendor_event_id

Report = Callable[[int, UsageEvent], None]
"""Takes the Unix milliseconds at which a report arrives, and the report."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ANY_TIME: Final = datetime(2020, 1, 1, tzinfo=UTC)
_LARGEST_INPUT: Final = 180_000
_LARGEST_OUTPUT: Final = 32_000
_TWICE_REPORTED_SHARE: Final = 0.06
_RESENT_SHARE: Final = 0.004
_LATE_SHARE: Final = 0.002
_SESSION_MS: Final = 2 * HOUR_MS
_BATCH_SHARE_OF_LATENCY: Final = 1_500.0


class Route:
    """What is the same for every call of one workload to one model, in two templates of an event.

    `template` is what the service's own reporter knows, `poorer` what a gateway knows that sees only the wire:
    neither the person nor the deployment's alias.
    """

    __slots__ = ("cache", "failure_shares", "model", "poorer", "prefix", "regions", "template")

    def __init__(self, workload: Workload, model: ModelHabits, tenant: str) -> None:
        vendor = VENDORS[model.vendor]
        shape = SHAPES[workload.shape]
        self.model = model
        self.prefix = vendor_event_id(model.vendor, vendor.id_prefix)
        self.regions = vendor.regions
        self.cache = vendor.cache if shape.cache_hits else "none"
        self.failure_shares = (vendor.error_share, vendor.error_share + vendor.rate_limited_share)
        self.template = UsageEvent(
            id=self.prefix,
            time=_ANY_TIME,
            source="gateway" if workload.reporters == "gateway" else "sdk-python",
            tenant=tenant,
            team=workload.team.name,
            project=workload.team.project,
            service=workload.service,
            environment=workload.environment,
            api_key=f"{workload.team.name}-{model.vendor}",
            tags={"feature": workload.shape},
            vendor=model.vendor,
            model=model.model,
            requested_model=f"{model.model}-{workload.environment}"
            if model.vendor == "azure"
            else model.model,
            operation=shape.operation,
            service_tier=workload.service_tier,
        )
        self.poorer = self.template.model_copy(update={"source": "gateway", "requested_model": ""})


class Caller:
    """Makes one workload's calls. `call` may be given times in any order."""

    def __init__(self, workload: Workload, plot: Plot, tenant: str, random: Random) -> None:
        self._workload = workload
        self._shape = SHAPES[workload.shape]
        self._plot = plot
        self._tenant = tenant
        self._random = random
        self._routes: dict[str, Route] = {}
        self._shifts = plot.shifts.get(workload.name, ())
        self._pack = plot.pack if plot.pack and workload.name in plot.pack.workloads else None
        self._has_people = workload.rhythm in ("office", "consumer") and self._shape.operation != "embedding"
        # The median of a log-normal draw is e^mu.
        self._input_mu = math.log(self._shape.input_tokens)
        self._output_mu = math.log(self._shape.output_tokens) if self._shape.output_tokens else 0.0
        self._fails_over = workload.environment == "production" and self._shape.operation == "chat"

    def call(self, at_ms: int, report: Report) -> None:
        """One call that the service makes at `at_ms`, with its retries and its reports."""
        random = self._random
        model = self._workload.model
        for shift in self._shifts:
            if shift.begins_ms <= at_ms and random.random() < shift.share_at(at_ms):
                model = shift.to_model
        route = self._route(model)
        retired = self._plot.retired
        if retired and retired.model == model and at_ms >= retired.at_ms:
            self._failed(route, at_ms, report, "error", "model_not_found", 1)
            return
        outage = self._plot.outage
        if outage and outage.vendor == route.model.vendor and at_ms >= outage.begins_ms:
            failover = FAILOVERS.get(outage.vendor) if self._fails_over else None
            if failover and random.random() < outage.avoided_share_at(at_ms):
                self._answered(self._route(failover), at_ms, report, 1)
                return
            if at_ms < outage.ends_ms and random.random() < outage.error_share:
                if random.random() < 0.7:
                    self._failed(route, at_ms, report, "error", "503", 1)
                else:
                    self._failed(route, at_ms, report, "timeout", "timeout", 1)
                if failover:
                    self._answered(self._route(failover), at_ms + 800, report, 2)
                return
        luck = random.random()
        error_below, rate_limited_below = route.failure_shares
        if luck < rate_limited_below:
            if luck < error_below:
                self._failed(route, at_ms, report, "error", "500", 1)
            else:
                self._failed(route, at_ms, report, "rate_limited", "429", 1)
            if random.random() < 0.85:
                self._answered(route, at_ms + 1200, report, 2)
            return
        self._answered(route, at_ms, report, 1)

    def _route(self, model: str) -> Route:
        route = self._routes.get(model)
        if route is None:
            route = self._routes[model] = Route(self._workload, MODELS[model], self._tenant)
        return route

    def _identity(self, route: Route, fields: dict[str, Any], at_ms: int) -> None:
        random = self._random
        fields["id"] = f"{route.prefix}{random.getrandbits(96):024x}"
        fields["time"] = _EPOCH + timedelta(milliseconds=at_ms)
        fields["region"] = route.regions[0 if random.random() < 0.8 else -1]
        if self._has_people:
            person = int(random.random() ** 2 * self._workload.users)
            fields["user"] = f"user-{person:04d}"
            fields["session"] = f"{self._workload.service}-{person:04d}-{at_ms // _SESSION_MS}"

    def _failed(self, route: Route, at_ms: int, report: Report, status: str, code: str, attempt: int) -> None:
        waited_ms = 60_000.0 if status == "timeout" else 80.0 * math.exp(0.5 * self._random.gauss(0, 1))
        fields: dict[str, Any] = {
            "status": status,
            "error_code": code,
            "attempt": attempt,
            "duration_ms": round(waited_ms, 1),
        }
        self._identity(route, fields, at_ms)
        self._send(route, fields, at_ms, report)

    def _answered(self, route: Route, at_ms: int, report: Report, attempt: int) -> None:
        random = self._random
        shape = self._shape
        gauss = random.gauss
        fields: dict[str, Any] = {}
        self._identity(route, fields, at_ms)
        if attempt > 1:
            fields["attempt"] = attempt
        input_tokens = min(int(math.exp(self._input_mu + shape.spread * gauss(0, 1))) + 1, _LARGEST_INPUT)
        fields["input_tokens"] = input_tokens
        output_tokens = 0
        if shape.output_tokens:
            output_tokens = min(
                int(math.exp(self._output_mu + shape.spread * gauss(0, 1))) + 1, _LARGEST_OUTPUT
            )
            fields["output_tokens"] = output_tokens
            if route.model.reasoning_share:
                share = min(route.model.reasoning_share * (0.4 + 1.2 * random.random()), 0.95)
                fields["reasoning_tokens"] = int(output_tokens * share)
            if shape.operation == "image":
                fields["output_image_tokens"] = output_tokens
        if route.cache != "none":
            self._cached(route, fields, input_tokens)
        self._timed(route, fields, input_tokens, output_tokens)
        if self._pack and at_ms < self._pack.exhausted_ms and route.model.key == self._pack.model:
            fields["tags"] = {**route.template.tags, "pack": self._pack.name}
        self._send(route, fields, at_ms, report)

    def _cached(self, route: Route, fields: dict[str, Any], input_tokens: int) -> None:
        shape = self._shape
        prefix_tokens = int(input_tokens * shape.cache_share * (0.7 + 0.3 * self._random.random()))
        # Vendors cache no prefix below about a thousand tokens.
        if prefix_tokens < 1024:
            return
        if self._random.random() < shape.cache_hits:
            fields["cache_read_tokens"] = prefix_tokens
        elif route.cache == "write":
            fields["cache_write_tokens"] = prefix_tokens
            if self._random.random() < 0.1:
                fields["cache_write_1h_tokens"] = prefix_tokens

    def _timed(self, route: Route, fields: dict[str, Any], input_tokens: int, output_tokens: int) -> None:
        random = self._random
        model = route.model
        ttft_ms = model.ttft_ms * math.exp(0.38 * random.gauss(0, 1)) * (1 + input_tokens / 60_000)
        duration_ms = ttft_ms
        if output_tokens and model.output_tokens_per_second and self._shape.operation == "chat":
            seconds = output_tokens / model.output_tokens_per_second * math.exp(0.22 * random.gauss(0, 1))
            duration_ms += seconds * 1000
        if self._workload.service_tier == "batch":
            duration_ms *= _BATCH_SHARE_OF_LATENCY * (0.5 + random.random())
        elif random.random() < self._shape.streamed:
            fields["streaming"] = True
            fields["ttft_ms"] = round(ttft_ms, 1)
        fields["duration_ms"] = round(duration_ms, 1)
        if self._shape.operation == "chat" and random.random() < 0.002:
            fields["status"] = "filtered" if random.random() < 0.3 else "cancelled"

    def _send(self, route: Route, fields: dict[str, Any], at_ms: int, report: Report) -> None:
        random = self._random
        workload = self._workload
        event = route.template.model_copy(update=fields)
        luck = random.random()
        reported_ms = at_ms + 200
        if workload.service in LATE_SERVICES:
            if luck < 0.05:
                reported_ms += int(random.random() * 9 * HOUR_MS)
        elif luck < _LATE_SHARE:
            reported_ms += int(random.expovariate(1 / (20 * MINUTE_MS)))
        report(reported_ms, event)
        if (
            workload.reporters == "both"
            and "status" not in fields
            and random.random() < _TWICE_REPORTED_SHARE
        ):
            self._seen_by_gateway(route, fields, at_ms, reported_ms, report)
        if workload.reporters == "gateway" and random.random() < _RESENT_SHARE:
            report(reported_ms + int(random.random() * MINUTE_MS), event)

    def _seen_by_gateway(
        self, route: Route, fields: dict[str, Any], at_ms: int, reported_ms: int, report: Report
    ) -> None:
        """The poorer report of a call that the SDK has reported: same name, other milliseconds, less known."""
        random = self._random
        seen_ms = at_ms + random.randint(1, 45)
        poorer = route.poorer.model_copy(
            update={
                "id": fields["id"],
                "time": _EPOCH + timedelta(milliseconds=seen_ms),
                "input_tokens": fields["input_tokens"],
                "output_tokens": fields.get("output_tokens", 0),
                "duration_ms": fields["duration_ms"],
            }
        )
        before = random.random() < 0.5
        delay_ms = -150 if before else int(random.expovariate(1 / (2 * MINUTE_MS)))
        report(reported_ms + delay_ms, poorer)

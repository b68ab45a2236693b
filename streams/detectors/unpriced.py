"""Unpriced calls: a model that has suddenly no price, and models that never had one and are called a lot.

A model that was priced and is not any longer is an incident for as long as it lasts, or until it has become usual. A
model without a price that makes up a share of a tenant's calls over a day (`detection.unpriced_share`) is told once:
somebody should give it a price. Both are told by vendor and model. What of the day's unpriced calls is of neither (many
models with few calls each, models of which only some calls have no price) is one incident of the tenant for as long as
it is together above that share. What the calls cost is not known, so no dollars are said.

Invariants: nothing is said in a tenant's first day; what comes late counts for the hour in which it comes.
Limit: the running clock hour and the one before are looked at together, so a price that is lost is told within an hour.
"""

from datetime import timedelta
from typing import Any, ClassVar, Final

import msgspec

from streams.detectors.detector import Condition, Surroundings
from streams.detectors.minute import TenantMinute
from streams.groups import EPOCH
from tokenweir.settings import DetectionSettings
from tokenweir.signals import Contributor, Severity

_FORM: Final = "unpriced 1"
_HOUR: Final = 60
_HOURS: Final = 24
_KEPT_PER_HOUR: Final = 0.5 ** (1 / 72)
_UNPRICED: Final = 0.5
_WAS_PRICED: Final = 0.2
_LEAST_USUAL_CALLS: Final = 100.0
_LEAST_SUDDEN_CALLS: Final = 20
_LEAST_DAY_CALLS: Final = 100
_WARNING_SHARE: Final = 0.1
_QUIET_MINUTES: Final = 30
_ONCE_MINUTES: Final = 30 * 24 * 60
_MOST_NAMED: Final = 5


class _Model(msgspec.Struct):
    """Counts of one model: [calls, unpriced calls] by hour, the running one last; and what is usual, by halves."""

    hours: list[list[int]]
    usual: list[float] = msgspec.field(default_factory=lambda: [0.0, 0.0])
    since: int | None = None
    told: int | None = None
    """The last minute in which it was said singly."""

    def total(self, hours: int) -> tuple[int, int]:
        """(calls, unpriced calls) of the latest hours."""
        latest = self.hours[-hours:]
        return sum(calls for calls, _ in latest), sum(unpriced for _, unpriced in latest)


class _State(msgspec.Struct):
    form: str
    born: int
    hour: int
    models: list[tuple[str, str, _Model]]


class Unpriced:
    """One tenant's detector of calls without a price."""

    kind: ClassVar[str] = "unpriced"
    early: ClassVar[bool] = False

    def __init__(self, surroundings: Surroundings | None = None) -> None:
        settings = surroundings.settings if surroundings is not None else DetectionSettings()
        self._least_share = settings.unpriced_share
        self._born = -1
        self._hour = -1
        self._models: dict[tuple[str, str], _Model] = {}

    def observe(self, minute: TenantMinute) -> list[Condition]:
        """Which models have no price."""
        now = minute.minute
        if self._born < 0:
            self._born, self._hour = now, now // _HOUR
        while self._hour < now // _HOUR:
            self._begin_hour()
        for row in (*minute.rows, *(row for _, row in minute.late)):
            key = (row.names["vendor"], row.names["model"])
            model = self._models.get(key)
            if model is None:
                model = self._models[key] = _Model([[0, 0]])
            model.hours[-1][0] += row.sums.calls
            model.hours[-1][1] += row.sums.unpriced_calls
        if now - self._born < _HOURS * _HOUR:
            return []
        all_calls = sum(model.total(_HOURS)[0] for model in self._models.values())
        said: list[Condition] = []
        rest: dict[tuple[str, str], int] = {}
        for (vendor, name), model in sorted(self._models.items()):
            unpriced = model.total(_HOURS)[1]
            if not unpriced and model.since is None:
                continue
            condition = self._said(vendor, name, model, all_calls, minute)
            if condition is not None:
                said.append(condition)
                model.told = now
            elif model.told is None or now - model.told >= _HOURS * _HOUR:
                rest[vendor, name] = unpriced
        if sum(rest.values()) >= max(_LEAST_DAY_CALLS, self._least_share * all_calls):
            said.append(self._of_many(rest, all_calls, minute))
        return said

    def state(self) -> bytes:
        """All that it knows."""
        models = [(vendor, name, model) for (vendor, name), model in sorted(self._models.items())]
        return msgspec.msgpack.encode(_State(_FORM, self._born, self._hour, models))

    def restore(self, state: bytes) -> None:
        """Take up what `state` gave."""
        try:
            read = msgspec.msgpack.decode(state, type=_State)
        except msgspec.MsgspecError as error:
            raise ValueError(f"no state of the detector of unpriced calls: {error}") from error
        if read.form != _FORM:
            raise ValueError(f"a state of form {read.form!r}, known is {_FORM!r}")
        self._born, self._hour = read.born, read.hour
        self._models = {(vendor, name): model for vendor, name, model in read.models}

    def _begin_hour(self) -> None:
        """Learn from the hour that is over. Models that are long silent are forgotten."""
        self._hour += 1
        for key, model in list(self._models.items()):
            for place, count in enumerate(model.hours[-1]):
                model.usual[place] = (model.usual[place] + count) * _KEPT_PER_HOUR
            model.hours = [*model.hours[-_HOURS + 1 :], [0, 0]]
            if model.usual[0] < 0.5:
                del self._models[key]

    def _said(
        self, vendor: str, name: str, model: _Model, all_calls: int, minute: TenantMinute
    ) -> Condition | None:
        calls, unpriced = model.total(2)
        day_calls, day_unpriced = model.total(_HOURS)
        usual_calls, usual_unpriced = model.usual
        usual = usual_unpriced / usual_calls if usual_calls else 0.0
        is_sudden = (
            usual_calls >= _LEAST_USUAL_CALLS
            and usual < _WAS_PRICED
            and unpriced >= (_LEAST_SUDDEN_CALLS if model.since is None else 1)
            and unpriced >= _UNPRICED * calls
        )
        if not is_sudden:
            model.since = None
        elif model.since is None:
            model.since = minute.minute
        is_usual = usual >= _UNPRICED or usual_calls < _LEAST_USUAL_CALLS
        is_much = day_unpriced >= max(_LEAST_DAY_CALLS, self._least_share * all_calls, _UNPRICED * day_calls)
        if not is_sudden and not (is_usual and is_much):
            return None
        share_of_all = day_unpriced / max(1, all_calls)
        severity: Severity = "warning" if is_sudden or share_of_all >= _WARNING_SHARE else "info"
        scope = {"vendor": vendor, "model": name}
        what = "has no price any longer" if is_sudden else "has no price"
        numbers = (
            f"{day_unpriced} of its {day_calls} calls of a day are unpriced, {share_of_all:.1%} of all calls"
        )
        evidence: dict[str, Any] = {
            "calls_per_day": day_calls,
            "unpriced_calls_per_day": day_unpriced,
            "share_of_all_calls": round(share_of_all, 4),
            "usual_unpriced_share": round(usual, 4),
        }
        value = unpriced / calls if is_sudden else day_unpriced / day_calls
        return Condition(
            kind=self.kind,
            subject="suddenly" if is_sudden else "lasting",
            scope=scope,
            severity=severity,
            started_at=minute.start if model.since is None else EPOCH + timedelta(minutes=model.since),
            value=value,
            baseline=usual if is_sudden else None,
            unit="share of calls",
            impact_usd_per_day=None,
            title=f"{name} of {vendor} {what}",
            explanation=f"{name} of {vendor} {what}: {numbers}. They are in no sum of dollars; give it a price.",
            contributors=(Contributor(component="price", scope=scope, text=numbers),),
            evidence=evidence,
            quiet_minutes=_QUIET_MINUTES if is_sudden else _ONCE_MINUTES,
            is_event=not is_sudden,
        )

    def _of_many(self, rest: dict[tuple[str, str], int], all_calls: int, minute: TenantMinute) -> Condition:
        calls = sum(rest.values())
        share = calls / all_calls
        first = sorted(rest, key=lambda one: (-rest[one], one))[:_MOST_NAMED]
        named = ", ".join(f"{name} of {vendor} {rest[vendor, name]:,}" for vendor, name in first)
        more = f" and {len(rest) - len(first)} further models" if len(rest) > len(first) else ""
        return Condition(
            kind=self.kind,
            subject="many",
            scope={},
            severity="warning" if share >= _WARNING_SHARE else "info",
            started_at=minute.start - timedelta(hours=_HOURS),
            value=share,
            baseline=self._least_share,
            unit="share of calls",
            impact_usd_per_day=None,
            title=f"{share:.1%} of all calls have no price, of {len(rest)} models with few such calls each",
            explanation=f"{calls:,} of {all_calls:,} calls of a day have no price, beside the models that are told of "
            f"singly: {named}{more}. They are in no sum of dollars; `weir unpriced` says why, and what helps.",
            contributors=tuple(
                Contributor(
                    component="price",
                    scope={"vendor": vendor, "model": name},
                    text=f"{rest[vendor, name]:,} calls of a day without a price",
                )
                for vendor, name in first
            ),
            evidence={
                "unpriced_calls_per_day": calls,
                "calls_per_day": all_calls,
                "models": len(rest),
            },
            quiet_minutes=_QUIET_MINUTES,
        )


DETECTOR: Final = Unpriced

"""One migration that is followed: its stages, and what is said of it. Plain data.

Stages go forward only: started, half-way, complete; or reversed from any. A stage has to hold for some hours. What is
said is worked out at each stage and stays as it is in between, but for the curve.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec

from streams.detectors.detector import Condition
from streams.detectors.move_causes import MoveCause
from streams.detectors.share_change import ShareChange
from streams.detectors.traffic import WORKLOAD_NAMES, Figures, WorkloadKey, vendor_and_model
from streams.groups import EPOCH
from tokenweir.money import PICOS_PER_UNIT
from tokenweir.signals import Contributor, Severity

Stage = Literal["started", "half_way", "complete", "reversed"]

_HALF_WAY: Final = 0.45
_COMPLETE: Final = 0.85
"""Less than a half and a whole: a share that stays at either is now above it, now below."""

_REVERSED: Final = 0.3
"""Of the most that had moved."""

_HOLDS_HOURS: Final = 3
_SAID_FOR_HOURS: Final = {"complete": 72, "reversed": 12}
_STANDS_STILL_HOURS: Final = 120
_FURTHER: Final = 0.05
_CURVE_HOURS: Final = 6
_MOST_CURVE: Final = 80
_DEARER: Final = 1.25
_DEARER_USD_PER_DAY: Final = 5
_FAILS_MORE: Final = 0.05

_TITLES: Final[Mapping[Stage, str]] = {
    "started": "{who} begins to move from {source} to {target}",
    "half_way": "{who} is half-way from {source} to {target}",
    "complete": "{who} has moved from {source} to {target}",
    "reversed": "{who} has gone back from {target} to {source}",
}
_COMPONENTS: Final = {
    "failing": "errors",
    "price_cut": "price",
    "price_rise": "price",
    "retirement": "model_mix",
    "release": "model_mix",
}


class Told(msgspec.Struct):
    """What is said at a stage. contributors: as `Contributor` dumps itself."""

    severity: Severity
    moved: float
    impact_usd_per_day: Decimal | None
    title: str
    explanation: str
    contributors: list[dict[str, Any]]
    evidence: dict[str, Any]


class Move(msgspec.Struct):
    """A move that is followed.

    source, target: `vendor/model` as it was written when the move was found; `change` has the models that these names
    mean. before: the source's figures when it was found. others: how many other workloads went the same way in the
    month before. most_moved, further_hour: how far it has got, and when it last got further. next_stage: seen, but not
    yet for long enough. curve: (hour since the epoch, share moved).
    """

    workload: WorkloadKey
    change: ShareChange
    source: str
    target: str
    names_operation: bool
    before: Figures
    causes: list[MoveCause]
    others: int
    stage: Stage
    stage_hour: int
    most_moved: float
    further_hour: int
    next_stage: Stage | None = None
    next_hours: int = 0
    curve: list[tuple[int, float]] = []
    told: Told | None = None

    @property
    def path(self) -> str:
        """`from>to`."""
        return f"{self.source}>{self.target}"

    @property
    def scope(self) -> dict[str, str]:
        """The workload; its operation only where it has several."""
        names = dict(zip(WORKLOAD_NAMES, self.workload, strict=True))
        if not self.names_operation:
            del names["operation"]
        return {name: value for name, value in names.items() if value}

    def advance(self, hour: int, moved: float, *, may_reverse: bool) -> bool:
        """Note how much has moved by the end of an hour; whether it is at another stage now."""
        if not self.curve or hour - self.curve[-1][0] >= _CURVE_HOURS:
            self.curve = [*self.curve, (hour, round(moved, 3))][-_MOST_CURVE:]
        if moved > self.most_moved + _FURTHER:
            self.most_moved, self.further_hour = moved, hour
        seen = self._stage_at(moved, may_reverse=may_reverse)
        if seen is None or seen != self.next_stage:
            self.next_stage, self.next_hours = seen, int(seen is not None)
            return False
        self.next_hours += 1
        if self.next_hours < _HOLDS_HOURS:
            return False
        self.stage, self.stage_hour = seen, hour
        self.next_stage, self.next_hours = None, 0
        self.curve = [*self.curve, (hour, round(moved, 3))][-_MOST_CURVE:]
        return True

    def is_over(self, hour: int) -> bool:
        """Whether there is no more to be said of it."""
        if self.stage in _SAID_FOR_HOURS:
            return hour - self.stage_hour >= _SAID_FOR_HOURS[self.stage]
        return hour - max(self.stage_hour, self.further_hour) >= _STANDS_STILL_HOURS

    def tell(self, moved: float, after: Figures, calls_per_day: float) -> None:
        """Work out what is said at this stage. after: the target's figures; calls_per_day: of the workload."""
        before, source_share = self.before, self.change.source_share
        source, target = self.source, self.target
        impact = None
        old, new = before.cost_picos_per_call, after.cost_picos_per_call
        if old is not None and new is not None:
            moved_calls = round(max(0.0, moved) * source_share * calls_per_day)
            impact = Decimal((new - old) * moved_calls) / PICOS_PER_UNIT
        contributors = self._contributors(impact)
        self.told = Told(
            severity=self._severity(impact, old, new, after),
            moved=round(moved, 4),
            impact_usd_per_day=impact,
            title=_TITLES[self.stage].format(who=self._who, source=source, target=target),
            explanation=self._explanation(moved, impact, after),
            contributors=[one.model_dump() for one in contributors],
            evidence={
                "stage": self.stage,
                "from": source,
                "to": target,
                "source_share_before": round(source_share, 4),
                "target_share_before": round(self.change.target_share, 4),
                "calls_per_day": round(calls_per_day, 1),
                "before": before.plain(),
                "after": after.plain(),
                "causes": [
                    {
                        "kind": cause.kind,
                        "about": cause.about,
                        "on": cause.on and cause.on.isoformat(),
                        "text": cause.text,
                    }
                    for cause in self.causes
                ],
                "other_workloads": self.others,
            },
        )

    def condition(self, kind: str) -> Condition:
        """What is so; `tell` has been called."""
        told = self.told
        if told is None:
            raise ValueError(f"nothing has been told of the move {self.path}")
        curve = [(_start(hour + 1).isoformat(), share) for hour, share in self.curve]
        return Condition(
            kind=kind,
            subject=self.path,
            scope=self.scope,
            severity=told.severity,
            started_at=_start(self.change.onset_hour),
            value=told.moved,
            baseline=0.0,
            unit="share_moved",
            impact_usd_per_day=told.impact_usd_per_day,
            title=told.title,
            explanation=told.explanation,
            contributors=tuple(Contributor.model_validate(one) for one in told.contributors),
            evidence={**told.evidence, "curve": curve},
            stage=self.stage,
        )

    def _stage_at(self, moved: float, *, may_reverse: bool) -> Stage | None:
        if self.stage == "reversed":
            return None
        if may_reverse and moved < _REVERSED * self.most_moved:
            return "reversed"
        if moved >= _COMPLETE and self.stage != "complete":
            return "complete"
        if moved >= _HALF_WAY and self.stage == "started":
            return "half_way"
        return None

    @property
    def _who(self) -> str:
        team, project, service, environment, operation = self.workload
        who = "/".join(filter(None, (team, service or project))) or "what no team is named for"
        notes = [environment] * bool(environment and environment != "production")
        notes += [operation] * self.names_operation
        return f"{who} ({', '.join(notes)})" if notes else who

    def _severity(self, impact: Decimal | None, old: int | None, new: int | None, after: Figures) -> Severity:
        is_dearer = (
            impact is not None
            and impact >= _DEARER_USD_PER_DAY
            and old is not None
            and new is not None
            and new > _DEARER * old
        )
        fails_more = after.failed_share > self.before.failed_share + _FAILS_MORE
        return "warning" if self.stage != "reversed" and (is_dearer or fails_more) else "info"

    def _contributors(self, impact: Decimal | None) -> list[Contributor]:
        """The likeliest cause first, then the change of models itself, which bears the dollars."""
        contributors = []
        for cause in self.causes:
            vendor, model = vendor_and_model(cause.about)
            scope = {"vendor": vendor, "model": model}
            if cause.kind == "failing":
                scope = {**self.scope, **scope}
            contributors.append(Contributor(component=_COMPONENTS[cause.kind], scope=scope, text=cause.text))
        vendor, model = vendor_and_model(self.target)
        mix = Contributor(
            component="model_mix",
            scope={"vendor": vendor, "model": model},
            usd_per_day=impact,
            text=f"calls that go from {self.source} to {self.target}",
        )
        return [*contributors, mix]

    def _explanation(self, moved: float, impact: Decimal | None, after: Figures) -> str:
        before = self.before
        sentences = [
            f"{max(0.0, min(1.0, moved)):.0%} of what {self._who} asked of {self.source} is with "
            f"{self.target} now, since {_start(self.change.onset_hour):%Y-%m-%d %H:%M} UTC."
        ]
        if self.stage == "reversed":
            sentences[0] = (
                f"At the most {min(1.0, self.most_moved):.0%} of what {self._who} asked of "
                f"{self.source} was with {self.target}; now it is {max(0.0, moved):.0%}."
            )
        old, new = before.cost_picos_per_call, after.cost_picos_per_call
        if impact is not None and old is not None and new is not None:
            word = "more" if impact > 0 else "less"
            sentences.append(
                f"A call costs {_dollars(new)} instead of {_dollars(old)}: ${abs(impact):,.2f} a day {word}."
            )
        else:
            sentences.append("What that costs is not known, because one of the two has no price.")
        if after.failed_share > before.failed_share + _FAILS_MORE:
            sentences.append(
                f"{after.failed_share:.0%} of the calls fail there, {before.failed_share:.0%} did before."
            )
        if self.causes:
            sentences.append(
                f"Likely because {' and because '.join(cause.text for cause in self.causes[:2])}."
            )
        else:
            sentences.append("Neither the price book nor the catalog has a date that would explain it.")
        if self.others:
            one = self.others == 1
            sentences.append(
                f"{self.others} other workload{'' if one else 's'} went the same way within a month."
            )
        return " ".join(sentences)


def _start(hour: int) -> datetime:
    return EPOCH + timedelta(hours=hour)


def _dollars(picos: int) -> str:
    return f"${Decimal(picos) / PICOS_PER_UNIT:.6f}"

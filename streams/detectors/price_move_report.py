"""How a price that moved, and what became of the calls after it, is told to a person."""

from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from streams.detectors.detector import Condition
from streams.detectors.model_use import OWNER_FIELDS, Owner, owner_name
from tokenweir.signals import Contributor

_KIND: Final = "price_move"
_CENT: Final = Decimal("0.01")
_MOST_USERS: Final = 8
_NAMED: Final = 3
_FOLLOWED: Final = 1.25
_QUIET_MINUTES: Final = 60


class Affected(NamedTuple):
    """A workload that calls a model. calls and USD a day, at the price before and at the one after."""

    owner: Owner
    calls: float
    old_usd: float
    new_usd: float

    @property
    def name(self) -> str:
        """For a sentence."""
        return owner_name(self.owner)


class Move(NamedTuple):
    """A price that moved. USD a day. rates: changes in percent by rate. price_id: empty where the book knows none."""

    vendor: str
    model: str
    at: datetime
    old_usd: float
    new_usd: float
    rates: dict[str, str]
    price_id: str
    affected: tuple[Affected, ...]


class Volume(NamedTuple):
    """Calls a day in the week before a move and in the one after it, of the model and of all. ratio: of the prices."""

    vendor: str
    model: str
    at: datetime
    ratio: float | None
    before: float
    after: float
    all_before: float
    all_after: float


def moved(move: Move) -> Condition:
    """The event of a move."""
    is_cut = move.new_usd < move.old_usd
    difference = abs(move.new_usd - move.old_usd)
    word = "less" if is_cut else "more"
    by = f" {100 * difference / move.old_usd:.0f} %" if move.old_usd else ""
    model = {"vendor": move.vendor, "model": move.model}
    named = ", ".join(
        f"{one.name} (${abs(one.new_usd - one.old_usd):,.2f})" for one in move.affected[:_NAMED]
    )
    rates = "; ".join(f"{rate} {percent} %" for rate, percent in move.rates.items())
    source = (
        f"The price book has a new price ({move.price_id}{': ' + rates if rates else ''})."
        if move.price_id
        else "The price book knows no price of it; this is by what its calls are reported to cost."
    )
    count = len({one.name for one in move.affected})
    senders = "1 workload sends" if count == 1 else f"{count} workloads send"
    return Condition(
        kind=_KIND,
        subject="price",
        scope=model,
        severity="info" if is_cut else "warning",
        started_at=move.at,
        value=move.new_usd,
        baseline=move.old_usd,
        unit="USD/day",
        impact_usd_per_day=_money(move.new_usd - move.old_usd),
        title=f"{move.model} of {move.vendor} costs{by} {word}: ${difference:,.2f} a day",
        explanation=f"Since {move.at:%Y-%m-%d %H:%M} UTC what {senders} "
        f"to {move.model} of {move.vendor} costs ${move.new_usd:,.2f} a day instead of ${move.old_usd:,.2f}: {named}"
        f"{' and others' * (len(move.affected) > _NAMED)}. {source}",
        contributors=(
            Contributor(
                component="price",
                scope=model,
                usd_per_day=_money(move.new_usd - move.old_usd),
                text=f"What its calls cost:{by} {word}.",
            ),
            *(_contributor(one, model) for one in move.affected[:_MOST_USERS]),
        ),
        evidence={
            "old_usd_per_day": round(move.old_usd, 2),
            "new_usd_per_day": round(move.new_usd, 2),
            "change_percent_by_rate": move.rates,
            "price_id": move.price_id,
            "workloads": count,
        },
        quiet_minutes=_QUIET_MINUTES,
        is_event=True,
    )


def volume(told: Volume) -> Condition:
    """The event that says, a week after a move, whether calls have followed the price."""
    share_before, share_after = _share(told.before, told.all_before), _share(told.after, told.all_after)
    is_cut = told.ratio is not None and told.ratio < 1
    has_risen, has_fallen = share_after > _FOLLOWED * share_before, share_after * _FOLLOWED < share_before
    has_followed = has_risen if is_cut else has_fallen
    price = f"by {abs(told.ratio - 1) * 100:.0f} %" if told.ratio is not None else "from free"
    verb = "cut" if is_cut else "rise"
    follows = "has followed" if has_followed else "has not followed"
    return Condition(
        kind=_KIND,
        subject="volume",
        scope={"vendor": told.vendor, "model": told.model},
        severity="info",
        started_at=told.at,
        value=told.after,
        baseline=told.before,
        unit="calls/day",
        impact_usd_per_day=None,
        title=f"Volume {follows} the price {verb} of {told.model} of {told.vendor}",
        explanation=f"In the week after the price {verb} {price} on {told.at:%Y-%m-%d}, {told.model} of {told.vendor} "
        f"had {told.after:,.0f} calls a day; before it had {told.before:,.0f}. Its share of all calls was "
        f"{100 * share_before:.1f} % and is {100 * share_after:.1f} %.",
        evidence={
            "calls_per_day_before": round(told.before, 1),
            "calls_per_day_after": round(told.after, 1),
            "share_before": round(share_before, 4),
            "share_after": round(share_after, 4),
            "price_ratio": round(told.ratio, 4) if told.ratio is not None else None,
            "has_followed": has_followed,
        },
        quiet_minutes=_QUIET_MINUTES,
        is_event=True,
    )


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _contributor(one: Affected, model: dict[str, str]) -> Contributor:
    scope = {field: value for field, value in zip(OWNER_FIELDS, one.owner, strict=True) if value}
    return Contributor(
        component="price",
        scope={**scope, **model},
        usd_per_day=_money(one.new_usd - one.old_usd),
        text=f"{one.name}: ${one.new_usd:,.2f} a day instead of ${one.old_usd:,.2f}.",
    )


def _money(usd: float) -> Decimal:
    return Decimal(usd).quantize(_CENT)

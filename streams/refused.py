"""What a message had refused, as lines of `tokenweir.windows`: how many lines, by reason and by who sent them.

Such a line has no calls and stands beside the message's sums. It is under the tenant that the refused line names, else
under the one in the message's key, else under UNKNOWN_TENANT. Only a message in which something was refused has any.
Pure.

Invariants: each refused line counts once, in the line of one tenant; a redelivered message gives the same lines.
Limits: names in what was refused are taken for what they claim to be, so a message adds to at most MAX_TENANTS
tenants and names at most MAX_SOURCES sources of each; what is over that counts for UNKNOWN_TENANT and for no source.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple, cast

import msgspec

from streams.groups import EPOCH, MINUTE
from streams.windows import MinuteWindow
from tokenweir.usage import UsageEvent
from tokenweir.usage.wire import MAX_EVENT_BYTES

UNKNOWN_TENANT: Final = "(unknown)"
"""The tenant of what names none that can be read."""

MAX_TENANTS: Final = 8
MAX_SOURCES: Final = 20
NO_SOURCE: Final = ""

_MOST_KEPT_SOURCES: Final = 100
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,256}")
_DEFAULT_TENANT: Final = cast("str", UsageEvent.model_fields["tenant"].default)


class RefusedLines(msgspec.Struct, frozen=True):
    """How many lines were refused, by reason (`tokenweir.usage.rejection`) and, the same lines, by source."""

    reasons: dict[str, int] = {}
    sources: dict[str, int] = {}

    @property
    def lines(self) -> int:
        """All of them."""
        return sum(self.reasons.values())

    def plus(self, other: "RefusedLines") -> "RefusedLines":
        """Both together. Of more sources than are kept, those with the fewest lines are no longer named."""
        if not self.reasons:
            return other
        return RefusedLines(
            _sum(self.reasons, other.reasons),
            _named(_sum(self.sources, other.sources), _MOST_KEPT_SOURCES),
        )


NOTHING_REFUSED: Final = RefusedLines()


class Refused(NamedTuple):
    """One piece that was refused: `lines` lines, for one reason."""

    piece: bytes
    reason: str
    lines: int = 1


def refused_windows(
    refused: Iterable[Refused], partial_id: str, key: bytes | None, reported_at_ms: int
) -> list[tuple[bytes, bytes]]:
    """(tenant as key, line of MinuteWindow), one pair a tenant; the minute is that of Kafka's time of the message.

    key: the message's own.
    """
    of_key = _tenant_of_key(key)
    by_tenant: dict[str, tuple[Counter[str], Counter[str]]] = {}
    for one in refused:
        tenant, source = _names_in(one.piece)
        tenant = tenant or of_key
        if tenant not in by_tenant and len(by_tenant) >= MAX_TENANTS:
            tenant = UNKNOWN_TENANT
        reasons, sources = by_tenant.setdefault(tenant, (Counter(), Counter()))
        reasons[one.reason] += one.lines
        sources[source] += one.lines
    minute = EPOCH + timedelta(milliseconds=reported_at_ms) // MINUTE * MINUTE
    return [
        (tenant.encode(), _line(tenant, minute, partial_id, *counted))
        for tenant, counted in by_tenant.items()
    ]


def _line(
    tenant: str, minute: datetime, partial_id: str, reasons: Counter[str], sources: Counter[str]
) -> bytes:
    return msgspec.json.encode(
        MinuteWindow(
            partial_id=partial_id,
            minute=minute,
            tenant=tenant,
            vendor="",
            model="",
            calls=0,
            calls_by_status={},
            refused_lines=dict(sorted(reasons.items())),
            refused_sources=dict(sorted(_named(sources, MAX_SOURCES).items())),
        )
    )


def refused_in(window: MinuteWindow) -> RefusedLines:
    """What a line of `tokenweir.windows` says was refused."""
    return RefusedLines(window.refused_lines, window.refused_sources)


class _Names(msgspec.Struct):
    tenant: str = _DEFAULT_TENANT
    source: str = NO_SOURCE


_decode_names: Final = msgspec.json.Decoder(_Names).decode


def _names_in(piece: bytes) -> tuple[str, str]:
    """(tenant, source) as far as a refused piece can be read; "" for what cannot."""
    if len(piece) > MAX_EVENT_BYTES:
        return "", NO_SOURCE
    try:
        names = _decode_names(piece)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "", NO_SOURCE
    return _name(names.tenant), _name(names.source)


def _tenant_of_key(key: bytes | None) -> str:
    """The tenant in a key as `tokenweir.usage.wire.workload_key` makes them."""
    parts = (key or b"").split(b"\x1f")
    try:
        tenant = _name(parts[0].decode()) if len(parts) == 4 else ""
    except UnicodeDecodeError:
        tenant = ""
    return tenant or UNKNOWN_TENANT


def _name(text: str) -> str:
    return text if _NAME.fullmatch(text) else ""


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {**one, **{name: one.get(name, 0) + count for name, count in other.items()}}


def _named(sources: Mapping[str, int], most: int) -> dict[str, int]:
    """The sources with the most lines; the lines of the others are those of no source."""
    if len(sources) <= most:
        return dict(sources)
    ranked = sorted(sources, key=lambda name: (name == NO_SOURCE, -sources[name], name))
    kept = {name: sources[name] for name in ranked[: most - 1]}
    return kept | {NO_SOURCE: sum(sources.values()) - sum(kept.values())}

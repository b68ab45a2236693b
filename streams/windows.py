"""Minute windows: what the events of one message add to each minute and group, as sums that can be added.

A partial covers one minute of one group (GROUP_FIELDS) and one input message. A reader adds the partials of a minute
in any order; they may come late. A partial that Kafka delivers twice bears the same `partial_id` and group, so a
reader that remembers ids can drop it. Every figure is a sum or a count, so nothing is lost by adding. What a message
had refused stands in lines of its own, without calls; who adds up calls passes over them.

Invariant: the figures of all partials of a message equal the sums over its accepted events, each event as it was
reported: a call reported twice, by two reporters or by a redelivery upstream, is in two partials. Exact totals
are the ledger's; windows are for seeing a change within a minute.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain
from operator import attrgetter
from typing import Annotated, Any, Final, NamedTuple, Self, cast

import msgspec

from streams.groups import EPOCH, MINUTE, Group
from streams.histogram import SCALE, ZERO_BUCKET, add_buckets, count_buckets
from streams.records import Columns
from tokenweir.money import decimal_string, picos_from_decimal
from tokenweir.usage.event import GROUP_FIELDS, TOKEN_FIELDS

GroupKey = tuple[Any, ...]
"""The values of GROUP_FIELDS, then the minute as a count since the Unix epoch."""


class Latency(msgspec.Struct, omit_defaults=True):
    """An exponential histogram of milliseconds: `buckets` maps bucket to count, `zeros` counts zeros."""

    buckets: dict[int, int] = msgspec.field(default_factory=dict)
    zeros: int = 0

    def counts(self) -> dict[int, int]:
        """Counts by bucket, zeros among them."""
        return {**self.buckets, ZERO_BUCKET: self.zeros} if self.zeros else dict(self.buckets)


class MinuteWindow(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One line of `tokenweir.windows`: what one message adds to one minute of one group. JSON, defaults omitted."""

    partial_id: Annotated[
        str,
        msgspec.Meta(
            description="`<topic>/<partition>/<offset>@<time in ms>` of the usage message; the same at redelivery."
        ),
    ]
    minute: Annotated[datetime, msgspec.Meta(tz=True, description="UTC, the minute's start.")]
    tenant: str
    team: str = ""
    project: str = ""
    service: str = ""
    environment: str = ""
    api_key: str = ""
    vendor: str
    model: str
    region: str = ""
    operation: str = "chat"
    service_tier: str = "standard"
    calls: int
    calls_by_status: dict[str, int]
    tokens: Annotated[
        dict[str, int], msgspec.Meta(description="By the event's field names; a kind not named is 0.")
    ] = msgspec.field(default_factory=dict)
    cost: Annotated[str, msgspec.Meta(description="USD of the priced calls, a decimal string.")] = "0"
    unpriced_calls: Annotated[
        int, msgspec.Meta(description="Calls without a price; `cost` leaves them out.")
    ] = 0
    latency_scale: Annotated[
        int, msgspec.Meta(description="Bucket i holds (2^(i/2^scale), 2^((i+1)/2^scale)] ms.")
    ] = SCALE
    duration_ms: Latency = msgspec.field(default_factory=Latency)
    ttft_ms: Latency = msgspec.field(default_factory=Latency)
    refused_lines: Annotated[
        dict[str, int],
        msgspec.Meta(
            description="By reason: lines of the message that were refused. Such a line has no calls, vendor and "
            "model; its minute is when Kafka had the message (`streams.refused`)."
        ),
    ] = msgspec.field(default_factory=dict)
    refused_sources: Annotated[
        dict[str, int],
        msgspec.Meta(description="The same lines by who sent them; empty where that is unknown."),
    ] = msgspec.field(default_factory=dict)


group_values = cast("Callable[[Any], tuple[Any, ...]]", attrgetter(*GROUP_FIELDS))


class GroupSums:
    """The sums of one group and minute, in integers; additive."""

    __slots__ = ("calls", "cost_picos", "durations", "statuses", "tokens", "ttfts", "unpriced_calls")

    def __init__(self) -> None:
        self.calls = 0
        self.statuses: Counter[str] = Counter()
        self.tokens = [0] * len(TOKEN_FIELDS)
        self.cost_picos = 0
        self.unpriced_calls = 0
        self.durations: dict[int, int] = {}
        self.ttfts: dict[int, int] = {}

    @classmethod
    def of(cls, figures: Columns, costs_picos: Sequence[int | None]) -> Self:
        """The sums of some events; figures and costs as a `CostedGroup` has them."""
        sums = cls()
        sums.calls = len(costs_picos)
        sums.statuses = Counter(figures["status"])
        sums.durations = count_buckets(figures["duration_ms"])
        sums.ttfts = count_buckets(figures["ttft_ms"])
        sums.tokens = [sum(figures[name]) if name in figures else 0 for name in TOKEN_FIELDS]
        sums.unpriced_calls = costs_picos.count(None)
        sums.cost_picos = sum(filter(None, costs_picos))
        return sums

    def merge(self, other: "GroupSums") -> None:
        """Add the sums of `other`."""
        self.calls += other.calls
        self.statuses.update(other.statuses)
        self.tokens = [mine + its for mine, its in zip(self.tokens, other.tokens, strict=True)]
        self.cost_picos += other.cost_picos
        self.unpriced_calls += other.unpriced_calls
        add_buckets(self.durations, other.durations)
        add_buckets(self.ttfts, other.ttfts)

    def window(self, key: GroupKey, partial_id: str) -> MinuteWindow:
        """These sums as a line of `tokenweir.windows`."""
        *values, minute = key
        return MinuteWindow(
            partial_id=partial_id,
            minute=EPOCH + cast("int", minute) * MINUTE,
            calls=self.calls,
            calls_by_status=dict(sorted(self.statuses.items())),
            tokens={name: total for name, total in zip(TOKEN_FIELDS, self.tokens, strict=True) if total},
            cost=decimal_string(self.cost_picos),
            unpriced_calls=self.unpriced_calls,
            duration_ms=_latency(self.durations),
            ttft_ms=_latency(self.ttfts),
            **dict(zip(GROUP_FIELDS, values, strict=True)),
        )


def _latency(counts: dict[int, int]) -> Latency:
    buckets = {bucket: counts[bucket] for bucket in sorted(counts) if bucket != ZERO_BUCKET}
    return Latency(buckets=buckets, zeros=counts.get(ZERO_BUCKET, 0))


class CostedGroup(NamedTuple):
    """A group of a message's events with the columns that are summed.

    figures: status, tokens and milliseconds by field, of the group's events; tokens that none of the message's events
    states may be left out. costs_picos: of the same events; None is that of an unpriced event.
    """

    group: Group
    figures: Columns
    costs_picos: Sequence[int | None]


def combine(groups: Iterable[CostedGroup]) -> dict[GroupKey, GroupSums]:
    """Sums by group and minute. The groups are of one message, and so state the same figures."""
    alike: dict[GroupKey, list[CostedGroup]] = {}
    for costed in groups:
        key = (*costed.group.names.values(), costed.group.minute)
        alike.setdefault(key, []).append(costed)
    return {key: _sums_of(members) for key, members in alike.items()}


def _sums_of(groups: list[CostedGroup]) -> GroupSums:
    if len(groups) == 1:
        return GroupSums.of(groups[0].figures, groups[0].costs_picos)
    # Columns are cheaper put together than sums are.
    figures = {name: _joined(group.figures[name] for group in groups) for name in groups[0].figures}
    return GroupSums.of(figures, _joined(group.costs_picos for group in groups))


def _joined(columns: Iterable[Sequence[Any]]) -> list[Any]:
    return list(chain.from_iterable(columns))


_encoder: Final = msgspec.json.Encoder()


def encode_windows(sums: dict[GroupKey, GroupSums], partial_id: str) -> list[tuple[bytes, bytes]]:
    """(tenant as key, NDJSON of MinuteWindow), one pair a tenant."""
    by_tenant: dict[str, list[MinuteWindow]] = {}
    for key, group in sums.items():
        by_tenant.setdefault(cast("str", key[0]), []).append(group.window(key, partial_id))
    return [(tenant.encode(), b"\n".join(map(_encoder.encode, lines))) for tenant, lines in by_tenant.items()]


_decoder: Final = msgspec.json.Decoder(MinuteWindow)


def decode_windows(value: bytes) -> list[MinuteWindow]:
    """The windows of a message. Raises msgspec.DecodeError."""
    return _decoder.decode_lines(value)


def merge_windows(windows: Iterable[MinuteWindow]) -> dict[GroupKey, GroupSums]:
    """Partials added up by group and minute; the caller has dropped those that were delivered twice.

    Lines that say what was refused are of no group and are passed over.
    """
    merged: dict[GroupKey, GroupSums] = {}
    for window in windows:
        if window.refused_lines:
            continue
        key = (*group_values(window), (window.minute - EPOCH) // MINUTE)
        merged.setdefault(key, GroupSums()).merge(sums_of(window))
    return merged


def sums_of(window: MinuteWindow) -> GroupSums:
    """The sums that a line of `tokenweir.windows` states."""
    sums = GroupSums()
    sums.calls = window.calls
    sums.statuses.update(window.calls_by_status)
    sums.tokens = [window.tokens.get(name, 0) for name in TOKEN_FIELDS]
    sums.cost_picos = picos_from_decimal(Decimal(window.cost))
    sums.unpriced_calls = window.unpriced_calls
    sums.durations = window.duration_ms.counts()
    sums.ttfts = window.ttft_ms.counts()
    return sums

"""Every Kafka topic of Tokenweir, in one place: name, key, what it carries, how it is created.

A name is prefixed at run time (`Settings.kafka.topic_prefix`), so that two installations can share a cluster.
"""

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `partitions` is what `weir topics create` asks for where the settings name no other number."""

    name: str
    carries: str
    key: str
    partitions: int
    config: dict[str, str] = field(default_factory=dict)


_DAY_MS: Final = 24 * 60 * 60 * 1000
_MESSAGE_BYTES: Final = str(8 * 1024 * 1024)

USAGE: Final = Topic(
    "usage",
    "batches of usage events as reported",
    "workload: tenant, team, project, service",
    12,
    {"retention.ms": str(7 * _DAY_MS), "max.message.bytes": _MESSAGE_BYTES, "cleanup.policy": "delete"},
)
METERED: Final = Topic(
    "metered",
    "the same batches, checked and priced",
    "workload: tenant, team, project, service",
    12,
    {"retention.ms": str(7 * _DAY_MS), "max.message.bytes": _MESSAGE_BYTES, "cleanup.policy": "delete"},
)
WINDOWS: Final = Topic(
    "windows",
    "partial sums by minute",
    "tenant",
    12,
    {"retention.ms": str(2 * _DAY_MS), "max.message.bytes": _MESSAGE_BYTES, "cleanup.policy": "delete"},
)
REJECTED: Final = Topic(
    "rejected",
    "what could not be read, with the reason",
    "none",
    3,
    {"retention.ms": str(30 * _DAY_MS), "max.message.bytes": _MESSAGE_BYTES, "cleanup.policy": "delete"},
)
SIGNALS: Final = Topic(
    "signals",
    "what the detectors say",
    "fingerprint",
    3,
    {"retention.ms": str(30 * _DAY_MS), "cleanup.policy": "delete"},
)
DETECTION: Final = Topic(
    "detection",
    "what the detectors know of each tenant",
    "tenant and part",
    12,
    {"max.message.bytes": _MESSAGE_BYTES, "cleanup.policy": "compact"},
)
"""As many partitions as WINDOWS: what is known of a tenant is in the partition of the number of its windows."""

BILLS: Final = Topic(
    "bills",
    "vendors' own usage and cost reports",
    "account: tenant, vendor, account",
    3,
    {"retention.ms": str(30 * _DAY_MS), "max.message.bytes": _MESSAGE_BYTES, "cleanup.policy": "delete"},
)

TOPICS: Final = (USAGE, METERED, WINDOWS, REJECTED, SIGNALS, DETECTION, BILLS)

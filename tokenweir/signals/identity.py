"""Names of incidents and signals: the same for the same thing, whoever says it and however often.

What an incident is about gives its fingerprint; that it opened in a certain minute gives the incident's own name; its
first, second, third signal gives the ids. A signal that is said again after a restart therefore replaces itself.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

_SEPARATOR: Final = "\x1f"
_DIGEST_BYTES: Final = 10


def fingerprint(kind: str, tenant: str, scope: Mapping[str, str], subject: str) -> str:
    """What an incident is about: `<kind>:<digest>`. The order of `scope` does not matter; `tenant` is no part of it."""
    parts = [kind, tenant, subject, *(f"{name}={value}" for name, value in sorted(scope.items()))]
    digest = hashlib.blake2b(_SEPARATOR.join(parts).encode(), digest_size=_DIGEST_BYTES).hexdigest()
    return f"{kind}:{digest}"


def incident_name(fingerprint: str, opened_minute: int) -> str:
    """One incident among those of a fingerprint: it opened in this minute since the Unix epoch."""
    return f"{fingerprint}@{opened_minute}"


def signal_id(incident: str, number: int) -> str:
    """The name of an incident's signal: 0 opened it, and so on."""
    return f"{incident}/{number}"

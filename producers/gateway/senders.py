"""Who sends: the token of a request, the source that it belongs to, and what that source fixes.

`gateway.tokens` names a token for each source; `gateway.token` is one for all. Where either is set, a request without
one of them is refused. What a source fixes (`gateway.attribution`) holds whatever the request and its events say:
a sender with a tenant's token cannot report for another tenant.
Tokens are compared by digest and all of them each time, so that the time taken tells nothing of them.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from aiohttp import hdrs, web

from producers.gateway.refusals import RequestRefused
from tokenweir.errors import RejectedInput, WrongCall
from tokenweir.settings import GatewaySettings
from tokenweir.usage.reading import read_event_object

FIXED_FIELDS: Final = (
    "tenant",
    "source",
    "team",
    "project",
    "service",
    "environment",
    "user",
    "api_key",
)
"""What a token's source can fix."""


@dataclass(frozen=True, slots=True)
class Sender:
    """key: by which it is limited. source: of its token; empty without one of its own. fixed: what holds for it."""

    key: str
    source: str = ""
    fixed: Mapping[str, str] = field(default_factory=dict)


class Senders:
    """The senders that the settings know. Raises WrongCall for settings that contradict themselves."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._known: list[tuple[bytes, Sender]] = []
        single = settings.token.get_secret_value()
        if single:
            self._known.append((_digest(single), Sender("token")))
        for source, secret in settings.tokens.items():
            fixed = _checked(source, settings.attribution.get(source, {}))
            self._add(source, secret.get_secret_value(), fixed)
        for source in settings.attribution:
            if source not in settings.tokens:
                raise WrongCall(
                    f"gateway.attribution names the source {source!r}, which has no token",
                    hint="Give it one in gateway.tokens",
                )

    def _add(self, source: str, secret: str, fixed: Mapping[str, str]) -> None:
        if not secret:
            raise WrongCall(f"the token of gateway.tokens.{source} is empty", hint="Set one, or remove it")
        digest = _digest(secret)
        if any(hmac.compare_digest(digest, known) for known, _ in self._known):
            raise WrongCall(
                f"the token of gateway.tokens.{source} is another's, too", hint="Give each source its own"
            )
        self._known.append((digest, Sender(f"source:{source}", source, fixed)))

    def of(self, request: web.Request) -> Sender:
        """Who sent the request. Raises RequestRefused (401) where a token is asked for and this is none."""
        if not self._known:
            return self.stranger(request)
        scheme, _, given = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        digest = _digest(given.strip())
        found = [sender for known, sender in self._known if hmac.compare_digest(digest, known)]
        if scheme.lower() != "bearer" or not found:
            raise RequestRefused(
                401,
                "the token is missing or wrong",
                hint="Send `Authorization: Bearer <token>`",
                stage="token",
            )
        return found[0] if found[0].source else self.stranger(request)

    def stranger(self, request: web.Request) -> Sender:
        """A sender that is known by its address alone."""
        return Sender(f"peer:{request.remote or ''}")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()


def _checked(source: str, fixed: Mapping[str, str]) -> Mapping[str, str]:
    for name in fixed:
        if name not in FIXED_FIELDS:
            raise WrongCall(
                f"gateway.attribution.{source} fixes {name!r}, which is no field of attribution",
                hint=f"It can fix {', '.join(FIXED_FIELDS)}",
            )
    try:
        check_fields(fixed)
    except RejectedInput as error:
        raise WrongCall(f"gateway.attribution.{source}: {error.message}", hint=error.hint) from error
    return fixed


def check_fields(fields: Mapping[str, object]) -> None:
    """Raises RejectedInput where an event could not have these fields."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    event = {"id": "any", "source": "any", "time": now, "vendor": "any", "model": "any"}
    read_event_object(event | dict(fields), now=now)

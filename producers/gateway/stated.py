"""What a request states for all that it holds: `?team=checkout` or the header `tokenweir-team: checkout`.

| parameter | header | field |
| --- | --- | --- |
| `team`, `service`, … | `tokenweir-team`, `tokenweir-service`, … | that field |
| `api_key` | `tokenweir-api-key` | underscores are hyphens in a header |
| `tag.<name>` | `tokenweir-tag-<name>` | a tag, beside those of the event |

A parameter wins over a header. What is stated so holds whatever the pieces say; what a token's source fixes wins over
it. A name that is none of these is refused, so that a slip is noticed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from producers.gateway.refusals import RequestRefused
from producers.gateway.senders import check_fields
from tokenweir.errors import RejectedInput
from tokenweir.usage import UsageEvent
from tokenweir.usage.event import MAX_TAGS

STATED_FIELDS: Final = (
    "tenant",
    "source",
    "team",
    "project",
    "service",
    "environment",
    "user",
    "api_key",
    "session",
    "requested_model",
    "operation",
    "region",
    "service_tier",
)
"""What a request can state for all that it holds."""

_PARAMETER_TAG: Final = "tag."
_HEADER: Final = "tokenweir-"
_HEADER_TAG: Final = "tag-"


@dataclass(frozen=True, slots=True)
class Stated:
    """fields: of UsageEvent, `source` among them. tags: to be added."""

    fields: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def stated_by(parameters: Iterable[tuple[str, str]], headers: Iterable[tuple[str, str]]) -> Stated:
    """What the request's parameters and headers (names in lower case) state. Raises RequestRefused (400)."""
    fields: dict[str, str] = {}
    tags: dict[str, str] = {}
    for name, value in headers:
        if name.startswith(_HEADER):
            rest = name[len(_HEADER) :]
            if rest.startswith(_HEADER_TAG):
                tags[rest[len(_HEADER_TAG) :]] = value
            else:
                fields[_known(rest.replace("-", "_"), "header")] = value
    for name, value in parameters:
        if name.startswith(_PARAMETER_TAG):
            tags[name[len(_PARAMETER_TAG) :]] = value
        else:
            fields[_known(name, "parameter")] = value
    if fields or tags:
        try:
            check_fields({**fields, "tags": tags} if tags else fields)
        except RejectedInput as error:
            raise RequestRefused(400, error.message, hint=error.hint, stage="address") from None
    return Stated(fields, tags)


def attributed(event: UsageEvent, held: Mapping[str, Any], tags: Mapping[str, str]) -> UsageEvent:
    """The event with what holds for its request. Raises RejectedInput (too_many_tags)."""
    if not held and not tags:
        return event
    update: dict[str, Any] = dict(held)
    if tags:
        update["tags"] = {**event.tags, **tags}
        if len(update["tags"]) > MAX_TAGS:
            raise RejectedInput(
                "too_many_tags", "the request's tags and the event's are too many", field="tags"
            )
    return event.model_copy(update=update)


def _known(name: str, kind: str) -> str:
    if name not in STATED_FIELDS:
        near = get_close_matches(name, STATED_FIELDS, 1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise RequestRefused(
            400,
            f"the {kind} {name[:64]!r} is not known here",
            hint=f"{hint}Known are {', '.join(STATED_FIELDS)} and tags",
            stage="address",
        )
    return name

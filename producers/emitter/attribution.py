"""Who a call is for, by context: what is set around a call holds for every report made within it.

    with attributed(team="checkout", user=account.id):
        with attributed(tags={"feature": "summary"}):
            client.chat.completions.create(...)      # team, user and tags

Nested contexts merge, the inner one wins, tags merge by key. It is a context variable: a task has what was set where
it was made, and a thread starts with nothing (`contextvars.copy_context().run` takes it along).

Invariant: nothing here raises for a value. An application reports with what it has at hand, so a value is made a
name of UsageEvent: turned into text, without control characters, cut to its length; what cannot be is left out.
"""

import os
from collections.abc import Mapping
from contextvars import ContextVar, Token
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

from tokenweir.usage.event import MAX_TAGS

NAMES: Final = ("tenant", "team", "project", "service", "environment", "user", "api_key", "session")
"""The fields of UsageEvent that say who a call is for; `tags` beside them."""

VARIABLES: Final = {f"TOKENWEIR_{name.upper()}": name for name in (*NAMES, "tags")}
"""By environment variable, which field it sets for the whole process. Tags are written `key=value,key=value`."""

MAX_NAME_CHARACTERS: Final = 256
MAX_TAG_KEY_CHARACTERS: Final = 64

Attribution = Mapping[str, Any]
"""Some of NAMES, and `tags` as a mapping; all of them as UsageEvent takes them."""

NOTHING: Final[Attribution] = MappingProxyType({})

CURRENT: Final[ContextVar[Attribution]] = ContextVar("tokenweir_attribution", default=NOTHING)
"""What holds here. Its values are never changed, only replaced."""


class Attributed:
    """A block within which reports carry an attribution; for `with` and `async with`."""

    def __init__(self, attribution: Attribution) -> None:
        self._attribution = attribution
        self._before: Attribution = NOTHING
        self._token: Token[Attribution] | None = None

    def __enter__(self) -> Self:
        self._before = CURRENT.get()
        self._token = CURRENT.set(merged(self._before, self._attribution))
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._token is None:
            return
        try:
            CURRENT.reset(self._token)
        except (
            ValueError,
            RuntimeError,
        ):  # left in another context than entered: a generator, a pool's thread
            CURRENT.set(self._before)
        self._token = None

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(exception_type, exception, traceback)


def attributed(
    *,
    tenant: object = None,
    team: object = None,
    project: object = None,
    service: object = None,
    environment: object = None,
    user: object = None,
    api_key: object = None,
    session: object = None,
    tags: Mapping[str, object] | None = None,
) -> Attributed:
    """A block of code whose calls are for these. None leaves what is set around it; "" takes it away.

    api_key: a label of the key, never the key.
    """
    return Attributed(
        tidy(
            {
                "tenant": tenant,
                "team": team,
                "project": project,
                "service": service,
                "environment": environment,
                "user": user,
                "api_key": api_key,
                "session": session,
                "tags": tags,
            }
        )
    )


def set_attribution(**names: object) -> None:
    """Say who the calls are for from here on in this context, in place of all that was set in it before.

    For where there is no block to put around: the beginning of a request in a web framework's middleware. It takes
    the names that `attributed` takes; called without any it clears. What it does not know is left out.
    """
    CURRENT.set(tidy(names))


def current_attribution() -> Attribution:
    """What is set where this is called."""
    return CURRENT.get()


def merged(outer: Attribution, inner: Attribution) -> Attribution:
    """Both, `inner` before `outer`, tags by key. Where they hold more tags than an event may, inner ones stay."""
    if not outer:
        return inner
    if not inner:
        return outer
    both = {**outer, **inner}
    if "tags" in outer and "tags" in inner:
        ours: Mapping[str, str] = inner["tags"]
        others = {key: value for key, value in outer["tags"].items() if key not in ours}
        room = max(MAX_TAGS - len(ours), 0)
        both["tags"] = dict(list(others.items())[:room]) | dict(ours)
    return both


def tidy(names: Mapping[str, object]) -> Attribution:
    """What UsageEvent can take of `names`. Never raises for a value."""
    kept: dict[str, Any] = {}
    for name in NAMES:
        text = _text(names.get(name), MAX_NAME_CHARACTERS)
        if text is not None and (text or name != "tenant"):
            kept[name] = text
    tags = names.get("tags")
    if isinstance(tags, Mapping):
        kept["tags"] = tidy_tags(tags)
    return MappingProxyType(kept) if kept else NOTHING


def tidy_tags(tags: Mapping[Any, object]) -> dict[str, str]:
    """At most MAX_TAGS of `tags`, the first ones. Never raises for a key or a value."""
    kept: dict[str, str] = {}
    for key, value in list(tags.items()):
        name = _text(key, MAX_TAG_KEY_CHARACTERS)
        text = _text(value, MAX_NAME_CHARACTERS)
        if name and text is not None and len(kept) < MAX_TAGS:
            kept[name] = text
    return kept


def attribution_from(environment: Mapping[str, str] = os.environ) -> Attribution:
    """What VARIABLES say."""
    names: dict[str, object] = {
        name: environment[variable] for variable, name in VARIABLES.items() if environment.get(variable)
    }
    if "tags" in names:
        pairs = (pair.partition("=") for pair in str(names["tags"]).split(","))
        names["tags"] = {key.strip(): value.strip() for key, equals, value in pairs if equals}
    return tidy(names)


def _text(value: object, most_characters: int) -> str | None:
    if value is None:
        return None
    try:
        text = value if type(value) is str else str(value)
        if not text.isprintable():
            text = "".join(character for character in text if ord(character) >= 32 and ord(character) != 127)
        text[:most_characters].encode()
    except Exception:  # noqa: BLE001 - an object of the application's may fail in any way when it is shown
        return None
    return text[:most_characters]

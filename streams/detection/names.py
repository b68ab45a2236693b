"""How many names of a field are told apart within a tenant: services, models, API keys and the like.

Detectors keep what they learn of each name for weeks. Who puts a request's id where a service's name belongs would
have them learn of millions, so of each field only so many names are taken as they are; what further ones did counts for
the name OTHER. A name that has been silent for FORGET_DAYS makes room, as detectors have forgotten it by then.

Deterministic: it depends on the keys and minutes that come, and on their order, alone.
"""

from typing import Final

from tokenweir.usage.event import GROUP_FIELDS

OTHER: Final = "(other)"
FORGET_DAYS: Final = 21
_FORGET_MINUTES: Final = FORGET_DAYS * 24 * 60
_MOST_KEYS: Final = 200_000

_Key = tuple[str, ...]


class KnownNames:
    """The names of one tenant. most: of each field."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._last: list[dict[str, int]] = [{} for _ in GROUP_FIELDS[1:]]
        """By field, the latest minute of each name."""
        self._newest = 0
        self._looked_at = 0
        self._as_they_are: dict[_Key, int] = {}
        """Keys that were taken so, each with its latest minute: to look up all of its names once a minute."""

    def fold(self, key: _Key, minute: int) -> _Key:
        """The key (the values of GROUP_FIELDS) as it is to be taken: the same, or with OTHER for names too many."""
        if self._as_they_are.get(key, -1) >= minute:
            return key
        self._newest = max(self._newest, minute)
        names = zip(self._last, key[1:], strict=True)
        folded = (key[0], *(self._name(last, name, minute) for last, name in names))
        if folded == key:
            if len(self._as_they_are) >= _MOST_KEYS:
                self._as_they_are.clear()
            self._as_they_are[key] = minute
        return folded

    def _name(self, last: dict[str, int], name: str, minute: int) -> str:
        before = last.get(name)
        if before is None:
            if len(last) >= self._most:
                self._make_room()
            if len(last) >= self._most:
                return OTHER
        if before is None or minute > before:
            last[name] = minute
        return name

    def _make_room(self) -> None:
        """Forget what has long been silent; not more than once a minute, or every new name would look at all."""
        if self._looked_at == self._newest:
            return
        self._looked_at = self._newest
        oldest = self._newest - _FORGET_MINUTES
        for last in self._last:
            for name in [name for name, minute in last.items() if minute < oldest]:
                del last[name]
        self._as_they_are.clear()

    def state(self) -> tuple[int, int, list[dict[str, int]]]:
        """All of it, as plain data."""
        return self._newest, self._looked_at, [dict(last) for last in self._last]

    def restore(self, state: tuple[int, int, list[dict[str, int]]]) -> None:
        """Take up what `state` gave."""
        self._newest, self._looked_at, last = state
        self._last = [dict(names) for names in last]
        self._as_they_are = {}

"""What a detector is fed with: one minute of one tenant.

Minutes come in order, each once as a whole, silent ones too. Detectors that asked for it also see the open minute
some times while it grows; its sums then only grow until the whole minute says the last of them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from streams.groups import EPOCH, MINUTE
from streams.refused import NOTHING_REFUSED, RefusedLines
from streams.windows import GroupSums


class GroupRow(NamedTuple):
    """One group of GROUP_FIELDS in one minute.

    names: by GROUP_FIELDS, in their order; the same object for the same group where it can be, and never changed.
    sums: what the minute's events of the group add up to.
    """

    names: Mapping[str, str]
    sums: GroupSums

    @property
    def key(self) -> tuple[str, ...]:
        """The values of GROUP_FIELDS."""
        return tuple(self.names.values())


class TenantMinute(NamedTuple):
    """One minute of one tenant.

    minute: counted since the Unix epoch. rows: all that is known of it, a row a group; none for a silent minute.
    is_whole: False while it is still open. late: (the minute that it belongs to, what came after that minute was
    closed); only with whole minutes. seconds: how many of the minute's 60 are over, for open ones. refused: the lines
    of which it was heard since the minute before was closed that they were refused; only with whole minutes.
    """

    tenant: str
    minute: int
    rows: Sequence[GroupRow]
    is_whole: bool = True
    late: Sequence[tuple[int, GroupRow]] = ()
    seconds: float = 60.0
    refused: RefusedLines = NOTHING_REFUSED

    @property
    def start(self) -> datetime:
        """When the minute begins, UTC."""
        return EPOCH + self.minute * MINUTE

    @property
    def end(self) -> datetime:
        """When the next minute begins, UTC."""
        return EPOCH + (self.minute + 1) * MINUTE

"""What a format makes of a request, and what it is given for that."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from producers.records.registry import RecordContext
from producers.vendors.answer import AnswerContext
from tokenweir.errors import RejectedInput
from tokenweir.usage import UsageEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A request as a format sees it.

    body: unpacked. headers: names in lower case. path: what stands in the variable parts of the address. now: UTC.
    source: who reports, by the request or by its token; empty where neither says. fields: fields of UsageEvent that
    the request states for all that it holds. digest: names the body, the same when it is sent again.
    """

    body: bytes
    content_type: str
    headers: Mapping[str, str]
    path: Mapping[str, str]
    now: datetime
    source: str
    fields: Mapping[str, Any]
    digest: str
    agent_usage: Literal["logs", "metrics"] = "logs"

    def answer_context(
        self, source: str, number: int, *, time: datetime | None = None, own_id: str = ""
    ) -> AnswerContext:
        """For reading piece `number` as a vendor's answer. source: where nobody says who reports."""
        return AnswerContext(
            source=self.source or source,
            now=self.now,
            time=time,
            fields=self.fields,
            make_id=self._namer(source, number, own_id),
        )

    def record_context(self, source: str, number: int, *, own_id: str = "") -> RecordContext:
        """For reading piece `number` as another tool's record. source: where nobody says who reports."""
        return RecordContext(
            source=self.source or source,
            now=self.now,
            fields=self.fields,
            make_id=self._namer(source, number, own_id),
        )

    def _namer(self, source: str, number: int, own_id: str) -> Callable[[], str]:
        # A piece without an id of its own is named after the body that it came in, and is the same when sent again.
        return lambda: own_id or f"{self.source or source}:{self.digest}/{number}"


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of one piece: its events, or why it was refused, or why it states none.

    number: of the piece within the body, from 0. piece: what a rejection shows the shape of. size_bytes: of the piece
    as it came.
    """

    number: int
    events: tuple[UsageEvent, ...] = ()
    refusal: RejectedInput | None = None
    ignored: str = ""
    piece: bytes = b""
    size_bytes: int = 0

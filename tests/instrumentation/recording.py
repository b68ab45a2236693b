"""An emitter that keeps what is reported to it: real calls and real readers, in the test's own thread."""

import json
from typing import Any

from producers.emitter.call import Call
from producers.emitter.reports import CallReport, ChunksReport, Reporter
from tokenweir.errors import TokenweirError
from tokenweir.usage import UsageEvent


class RecordingEmitter:
    """events: what the emitter would send. dropped: reports that it would drop and count. unanswered: calls."""

    def __init__(self) -> None:
        self.events: list[UsageEvent] = []
        self.dropped: list[TokenweirError] = []
        self.unanswered = 0

    def call(
        self,
        *,
        vendor: str,
        model: str = "",
        surface: str | None = None,
        record_failures: bool | None = None,
        **fields: Any,
    ) -> Call:
        return Call(
            self,
            vendor=vendor,
            model=model,
            surface=surface,
            record_failures=bool(record_failures),
            fields=dict(fields),
        )

    def take_call(self, report: CallReport) -> bool:
        try:
            self.events.extend(report.events(Reporter("test", {})))
        except TokenweirError as error:
            self.dropped.append(error)
        return True

    def take_chunks(self, report: ChunksReport) -> None:
        report.keep()

    def note_unanswered(self) -> None:
        self.unanswered += 1

    @property
    def event(self) -> UsageEvent:
        """The only one."""
        (event,) = self.events
        return event

    def all_that_left(self) -> str:
        """Everything that got past the readers, as text."""
        return json.dumps([event.model_dump(mode="json") for event in self.events]) + "".join(
            f"{error} {error.__dict__}" for error in self.dropped
        )

"""Other tools' records as a stream of lines, asked for by the tool's name: for `weir parse --vendor claude_code`.

The event's vendor is the one that the record states, never the tool. A line holds a record, or an array of records in
order (a session's lines); one reader reads all lines of a format, as those before may be needed to read the next.
Invariant: within an array a record that states no call is passed over; one that stands alone is refused.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from producers import records
from producers.files.lines import MAX_LINE_BYTES
from producers.files.rows import json_object
from producers.vendors.answer import Answer
from tokenweir.errors import RejectedInput, WrongCall
from tokenweir.usage.event import UsageEvent

TOOLS: Final[Mapping[str, Mapping[str, str]]] = {
    "claude_code": {"session_jsonl": "claude_code", "otlp_logs": "otlp", "otlp_metrics": "otlp_metrics"},
    "codex_cli": {"session_jsonl": "codex", "otlp_logs": "otlp"},
    "gemini_cli": {"chat_json": "gemini_cli", "otlp": "otlp", "otlp_metrics": "otlp_metrics"},
    "litellm": {"spend_log_row": "litellm_spend_log", "standard_logging_payload": "litellm"},
    "helicone": {"export": "helicone"},
    "portkey": {"logs_export": "portkey"},
    "langfuse": {"observation": "langfuse"},
    "otel": {"genai_span_otlp_json": "otlp", "otlp": "otlp", "otlp_metrics": "otlp_metrics"},
}
"""Surfaces by tool, and the format of records that each is of."""

_BILLS: Final = (
    "cost_report",
    "usage_report",
    "org_usage",
    "org_costs",
    "billing",
    "activity",
    "get_usage",
    "get_cost",
    "usage_costs",
    "admin_usage",
    "management_usage",
    "service_stats",
    "show_statistics",
    "usage_detail",
    "usage_rank",
)


def refuse_bills(surface: str | None) -> None:
    """Raises WrongCall for the name of a vendor's report of sums, which holds no calls."""
    if surface and any(word in surface for word in _BILLS):
        raise WrongCall(
            f"{surface!r} is a vendor's report of what was used or billed, and states no single calls",
            hint="Import it with weir bills import, and compare it with weir reconcile",
        )


class ToolReader:
    """One tool's records. surface: None finds the format record by record."""

    def __init__(self, tool: str, surface: str | None, context: records.RecordContext) -> None:
        """Raises WrongCall for a surface that the tool does not have."""
        known = TOOLS[tool]
        if surface is not None and surface not in known:
            raise WrongCall(f"{tool} has no surface {surface!r}", hint=f"It has {', '.join(known)}")
        self._tool = tool
        self._formats = frozenset(known.values())
        self._format = known[surface] if surface is not None else next(iter(self._formats))
        self._is_found = surface is None and len(self._formats) > 1
        self._context = context
        self._readers: dict[str, records.RecordReader] = {}

    def line(self, line: bytes) -> Iterator[UsageEvent | RejectedInput]:
        """The calls of a line in order, and why a record of it could not be read."""
        if len(line) > MAX_LINE_BYTES:
            yield RejectedInput("too_large", f"the line has {len(line)} bytes, more than {MAX_LINE_BYTES}")
            return
        try:
            if not line.lstrip().startswith(b"["):
                yield from self._alone(json_object(line))
                return
            elements = json_object(b'{"records":' + line + b"}")["records"]
        except RejectedInput as problem:
            yield problem
            return
        for element in elements:
            try:
                yield from self._calls(element)
            except RejectedInput as problem:
                yield problem

    def _alone(self, record: Mapping[str, Any]) -> tuple[UsageEvent, ...]:
        events = self._calls(record)
        if not events:
            raise RejectedInput(
                "missing_field",
                "usage: the record states no call that was billed",
                field="usage",
                hint="A record of a failed call, or one that only goes with others, has no event",
            )
        return events

    def _calls(self, record: Any) -> tuple[UsageEvent, ...]:
        if not isinstance(record, Mapping):
            raise RejectedInput("wrong_type", "the record is not a JSON object")
        name = records.detect(record) if self._is_found else self._format
        if name not in self._formats:
            raise RejectedInput(
                "missing_field",
                f"this is no record of {self._tool} that is known",
                hint=f"Name its surface: {', '.join(TOOLS[self._tool])}",
            )
        if name not in self._readers:
            self._readers[name] = records.new_reader(name)
        return tuple(self._readers[name](Answer(record), self._context))

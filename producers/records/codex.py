"""Codex CLI and Codex Desktop: lines of their local sessions, `~/.codex/sessions/**/rollout-*.jsonl`.

`token_count` events state the session's totals so far (`total_token_usage`) and the last call's (`last_token_usage`).
A call is the difference of two totals; where there is none to compare with, or the counter began anew, it is the
last call's own. The same totals are written again (with new rate limits): that is no call.
Accounting: cached tokens are inside the input, reasoning inside the output.

A forked session and, in some versions, a subagent's begins with a copy of its parent's history, `token_count` events
included, stamped with the time of the fork. A call is therefore not named by where or when it was written, but by the
session whose history it stands in (the last `session_meta` before it, which the copy brings along) and by its
totals: the copy has the names of the original, and is counted once. The copy's report knows less (no session), so that
the original is the one that is kept.

Sources: codex-rs `protocol/src/protocol.rs` (RolloutItem, TokenUsageInfo, SessionMeta); layouts of forks as observed
in ccusage 897 and 950, PokeTokenBar 128 and 132, cc-switch 5435.
Limits: no response id is stated, so that a call which telemetry also reports is counted twice: take one of the two.
Nothing tells a subscription from a key that is billed by tokens.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import PurePath, PureWindowsPath
from typing import Any, Final

from producers.records import fields
from producers.records.calls import event_of
from producers.records.registry import RecordContext, record_format
from producers.vendors.answer import Answer
from producers.vendors.names import vendor_named
from tokenweir.usage.event import UsageEvent

SERVICE: Final = "codex"

_KINDS: Final = frozenset(
    ("session_meta", "turn_context", "event_msg", "response_item", "compacted", "inter_agent_communication")
)
_COUNTS: Final = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")
_NOTHING: Final = (0, 0, 0, 0)

Totals = tuple[int, int, int, int]
"""input, cached input, output, reasoning."""


def is_line(record: Answer) -> bool:
    return str(record.body.get("type")) in _KINDS and isinstance(record.body.get("payload"), Mapping)


@record_format("codex", looks_like=is_line)
class CodexSession:
    """The lines of one session file."""

    def __init__(self) -> None:
        self._own_id = ""  # of the session that the file is of: its first session_meta
        self._owner_id = ""  # of the session whose history is being read: the last session_meta
        self._model = ""
        self._vendor = "openai"
        self._tier = ""
        self._project = ""
        self._totals: Totals | None = None

    @property
    def state(self) -> Mapping[str, Any]:
        """What the next line is understood by."""
        return {
            "own_id": self._own_id,
            "owner_id": self._owner_id,
            "model": self._model,
            "vendor": self._vendor,
            "tier": self._tier,
            "project": self._project,
            "totals": self._totals and list(self._totals),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on where `state` was taken."""
        self._own_id, self._owner_id = str(state["own_id"]), str(state["owner_id"])
        self._model, self._vendor = str(state["model"]), str(state["vendor"])
        self._tier, self._project = str(state["tier"]), str(state["project"])
        totals = state["totals"]
        self._totals = None if totals is None else (totals[0], totals[1], totals[2], totals[3])

    def __call__(self, record: Answer, context: RecordContext) -> Iterable[UsageEvent]:
        """The call that a token_count event states; nothing for all other lines."""
        kind = fields.text(record, "type")
        payload = fields.part(record, "payload")
        if kind == "session_meta":
            self._take_session(payload)
        elif kind == "turn_context":
            self._take_settings(payload)
        elif kind == "event_msg" and payload.find("type") == "thread_settings_applied":
            self._take_settings(fields.part(payload, "thread_settings"))
        elif kind == "event_msg" and payload.find("type") == "token_count":
            return self._take_totals(record, fields.part(payload, "info"), context)
        return ()

    def _take_session(self, meta: Answer) -> None:
        # `session_id` of a subagent is its parent's.
        self._owner_id = fields.label(meta, "id", "session_id")
        self._own_id = self._own_id or self._owner_id
        self._project = _folder(fields.label(meta, "cwd")) or self._project
        provider = fields.label(meta, "model_provider")
        self._vendor = vendor_named(provider) if provider else self._vendor

    def _take_settings(self, settings: Answer) -> None:
        self._model = fields.label(settings, "model") or self._model
        tier = fields.label(settings, "service_tier")
        self._tier = ("" if tier in ("default", "auto", "standard") else tier) if tier else self._tier
        provider = fields.label(settings, "model_provider_id")
        self._vendor = vendor_named(provider) if provider else self._vendor

    def _take_totals(self, record: Answer, info: Answer, context: RecordContext) -> Iterable[UsageEvent]:
        last = _counts_at(info, "last_token_usage")
        totals = _counts_at(info, "total_token_usage")
        if totals is None and last is None:
            return ()
        before, self._totals = self._totals, totals or self._totals
        call = _call(before, totals, last)
        if call == _NOTHING:
            return ()
        copied = self._owner_id != self._own_id
        digest = hashlib.blake2b(repr((totals, last)).encode(), digest_size=12).hexdigest()
        session = fields.label(record, "session_id") or self._owner_id
        return (
            event_of(
                context,
                vendor=self._vendor,
                model=fields.label(info, "model") or self._model,
                time=fields.moment(record, "timestamp"),
                counts={
                    "input_tokens": call[0],
                    "cache_read_tokens": min(call[1], call[0]),
                    "output_tokens": call[2],
                    "reasoning_tokens": min(call[3], call[2]),
                },
                # Without a session the file cannot be told from others: then only the row's own name is safe.
                own_id=f"codex:{session}/{digest}" if session else "",
                service=SERVICE,
                project=self._project,
                service_tier=self._tier,
                session="" if copied else self._own_id,
                tags={"thread": self._own_id} if copied else {},
            ),
        )


def _call(before: Totals | None, totals: Totals | None, last: Totals | None) -> Totals:
    """What one call took, from the totals before and after it and from its own statement."""
    if totals is None:
        return last or _NOTHING
    if before is not None and before == totals:
        return _NOTHING
    grown = before is not None and all(now >= then for now, then in zip(totals, before, strict=True))
    if before is not None and grown:
        return (
            totals[0] - before[0],
            totals[1] - before[1],
            totals[2] - before[2],
            totals[3] - before[3],
        )
    return last or totals


def _counts_at(info: Answer, path: str) -> Totals | None:
    usage = fields.part(info, path)
    if not usage.body:
        return None
    counts = tuple(fields.whole(usage, name) for name in _COUNTS)
    return (counts[0], counts[1], counts[2], counts[3])


def _folder(path: str) -> str:
    """The last part of a working directory, as either system writes it."""
    return (PureWindowsPath(path) if "\\" in path else PurePath(path)).name

"""Every official client against a vendor that answers, streams, refuses, breaks off and talks nonsense.

Each thing is done twice, by a client as it comes and by an instrumented one: both must give the same.
"""

from collections.abc import Callable
from typing import Any

import pytest

from producers.emitter import attributed
from producers.instrumentation import instrument
from tests.instrumentation.answers import CANARY
from tests.instrumentation.clients import CASES, Bench, Case
from tests.instrumentation.recording import RecordingEmitter
from tests.instrumentation.server import Reply, VendorServer, plain

pytestmark = pytest.mark.filterwarnings(
    "ignore:Inheritance class AiohttpClientSession:DeprecationWarning"  # google-genai's own
)
every_client = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)

TOO_MANY = Reply([b'{"error": {"code": "rate_limit_exceeded"}}'], status=429, headers={"retry-after-ms": "1"})
BROKEN = Reply([b'{"error": {"message": "sorry"}}'], status=500, headers={"retry-after-ms": "1"})
WRONG = Reply([b'{"error": {"code": "invalid_request", "message": "no"}}'], status=400)


NONSENSE = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"usage": {"prompt_tokens": -1}, "usageMetadata": 7}',
)


class Both:
    """A case's client as it comes, and another one that is instrumented: what is done, both do."""

    def __init__(self, bench: Bench, server: VendorServer, case: Case, emitter: RecordingEmitter) -> None:
        self.bench, self.server, self.case, self.emitter = bench, server, case, emitter

    def ask(self, *replies: Reply, **options: Any) -> Any:
        return self._same(replies, options, lambda client: self.bench.ask(self.case, client))

    def read(self, *replies: Reply, upto: int | None = None, **options: Any) -> Any:
        return self._same(replies, options, lambda client: self.bench.read(self.case, client, upto))

    def _same(self, replies: tuple[Reply, ...], options: dict[str, Any], do: Callable[[Any], Any]) -> Any:
        """What `do` gives, or the error that it raises: the same with both."""
        observed = self.bench.client(self.case, "instrumented")
        instrument(observed, self.emitter, **options)
        given = []
        for client in (self.bench.client(self.case, "as it comes"), observed):
            self.server.will_answer(*replies)
            try:
                given.append((do(client), None))
            except Exception as error:  # noqa: BLE001 - whatever the one raises, the other is to raise
                given.append((type(error), str(error)))
        assert given[1] == given[0]
        return given[1][0]


@pytest.fixture
def both(bench: Bench, server: VendorServer, case: Case, emitter: RecordingEmitter) -> Both:
    return Both(bench, server, case, emitter)


@every_client
def test_an_answer_is_one_event(case: Case, both: Both, emitter: RecordingEmitter) -> None:
    with attributed(user="u-1"):
        assert both.ask(case.whole, team="shop")
    event = emitter.event
    assert (event.vendor, event.model) == (case.vendor, case.model)
    assert event.requested_model == case.requested_model
    assert (event.input_tokens, event.output_tokens) == (case.input_tokens, 7)
    assert (event.team, event.user, event.operation, event.status) == ("shop", "u-1", "chat", "ok")
    assert (event.attempt, event.streaming, event.ttft_ms) == (1, False, None)
    assert event.duration_ms is not None
    assert 0 < event.duration_ms < 10_000
    assert not emitter.dropped
    assert CANARY not in emitter.all_that_left()


@every_client
def test_a_stream_is_one_event(case: Case, both: Both, emitter: RecordingEmitter) -> None:
    assert len(both.read(case.streamed(pause_seconds=0.002))) > 1
    event = emitter.event
    assert (event.vendor, event.requested_model, event.streaming) == (case.vendor, case.requested_model, True)
    if case.stream_states_usage:
        assert (event.input_tokens, event.output_tokens) == (case.input_tokens, 7)
        assert (event.status, event.model) == ("ok", case.model)
    else:
        assert (event.input_tokens, event.status, event.error_code) == (0, "ok", "usage_not_stated")
    assert event.ttft_ms is not None
    assert event.duration_ms is not None
    assert 0 < event.ttft_ms <= event.duration_ms
    assert not emitter.dropped
    assert CANARY not in emitter.all_that_left()


@every_client
def test_a_stream_that_is_left_is_cancelled(case: Case, both: Both, emitter: RecordingEmitter) -> None:
    both.read(case.streamed(pause_seconds=0.01), upto=1)
    assert (emitter.event.status, emitter.event.streaming) == ("cancelled", True)
    assert emitter.event.requested_model == case.requested_model


@every_client
def test_a_stream_that_breaks_off_is_marked(case: Case, both: Both, emitter: RecordingEmitter) -> None:
    upto = -2 if len(case.pieces) > 2 else -1
    both.read(case.streamed(upto=upto, is_cut=True, pause_seconds=0.002))
    event = emitter.event
    assert event.status in ("cancelled", "error")
    assert event.error_code
    assert event.streaming


@every_client
def test_attempts_are_counted_and_only_the_answer_is_billed(
    case: Case, both: Both, server: VendorServer, emitter: RecordingEmitter
) -> None:
    both.ask(TOO_MANY, case.whole)
    assert len(server.received) == 2
    event = emitter.event
    assert (event.attempt, event.status, event.input_tokens) == (2, "ok", case.input_tokens)


@every_client
def test_what_fails_is_not_billed(case: Case, both: Both, emitter: RecordingEmitter) -> None:
    both.ask(WRONG)
    both.read(WRONG)
    assert (emitter.events, emitter.dropped, emitter.unanswered) == ([], [], 0)


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.name in ("openai", "anthropic-async", "gemini-async", "cohere")],
    ids=lambda case: case.name,
)
def test_the_last_of_many_failures_is_not_billed(
    case: Case, both: Both, server: VendorServer, emitter: RecordingEmitter
) -> None:
    both.ask(BROKEN, record_failures=True)
    attempts = [event.attempt for event in emitter.events]
    assert attempts == list(range(1, len(server.received) + 1))
    assert {event.status for event in emitter.events} == {"error"}


@every_client
def test_failures_are_events_where_they_are_asked_for(
    case: Case, both: Both, emitter: RecordingEmitter
) -> None:
    both.ask(WRONG, record_failures=True)
    event = emitter.event
    assert (event.status, event.input_tokens, event.vendor) == ("error", 0, case.vendor)
    assert event.error_code
    assert CANARY not in emitter.all_that_left()


@every_client
def test_nonsense_disturbs_nobody(case: Case, both: Both, emitter: RecordingEmitter) -> None:
    for number, body in enumerate(NONSENSE, start=1):
        both.ask(plain(body))
        assert emitter.events == []
        assert len(emitter.dropped) <= number

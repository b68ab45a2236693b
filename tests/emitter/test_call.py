"""Calls through a broker: one right event per billed call, none for one that was not billed, exceptions untouched."""

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from producers.emitter import Call, Emitter, attributed
from tests.emitter.test_bodies import CANARY, COMPLETION
from tests.emitter.topic_contents import event, make_topics, read_topic
from tests.kafka.fixtures import Broker
from tokenweir.settings import KafkaSettings

_PATIENCE_SECONDS = 60.0


class Reported:
    """An emitter, and what of it is in Kafka."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.settings = settings
        self.emitter = Emitter(settings, source="test", attribution={"service": "api"})

    def lines(self) -> list[dict[str, Any]]:
        assert self.emitter.flush(_PATIENCE_SECONDS)
        return [line for message in read_topic(self.settings) for line in message.lines]


@pytest.fixture
def reported(embedded_broker: Broker, unique_prefix: str) -> Iterator[Reported]:
    settings = embedded_broker.settings(unique_prefix)
    make_topics(settings)
    made = Reported(settings)
    yield made
    made.emitter.close()


def chunks(*, usage: bool = True) -> list[dict[str, Any]]:
    head = {"id": "chatcmpl-8", "object": "chat.completion.chunk", "model": "gpt-4o-2024-11-20"}
    text = [
        {**head, "choices": [{"index": 0, "delta": {"content": CANARY}, "finish_reason": None}]}
        for _ in range(100)
    ]
    end = {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    stated = {**head, "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 100}}
    return [*text, end, stated] if usage else text


def test_an_answer_is_an_event_with_what_was_measured_and_attributed(reported: Reported) -> None:
    with (
        attributed(team="checkout", tags={"feature": "summary"}),
        reported.emitter.call(vendor="openai", model="gpt-4o", user="anna", tags={"a": "b"}) as call,
    ):
        time.sleep(0.02)
        call.answer(COMPLETION)
        time.sleep(0.2)  # what comes after the answer is not the vendor's
    (line,) = reported.lines()
    assert 20 <= line.pop("duration_ms") < 200
    assert line == {
        "id": "openai:chatcmpl-7",
        "source": "test",
        "time": "2026-01-01T00:00:00Z",
        "service": "api",
        "team": "checkout",
        "user": "anna",
        "tags": {"feature": "summary", "a": "b"},
        "vendor": "openai",
        "model": "gpt-4o-2024-11-20",
        "requested_model": "gpt-4o",
        "input_tokens": 11,
        "output_tokens": 5,
    }


def test_answers_and_events_are_recorded_with_the_same_attribution(reported: Reported) -> None:
    with attributed(team="checkout"):
        assert reported.emitter.record(COMPLETION, vendor="openai", project="p", duration_ms=12.5)
        assert reported.emitter.record(event(1, service="own"))
    first, second = sorted(reported.lines(), key=lambda line: str(line["id"]))
    assert (first["id"], first["service"], first["team"]) == ("openai:call-1", "own", "checkout")
    assert (second["service"], second["team"], second["project"], second["duration_ms"]) == (
        "api",
        "checkout",
        "p",
        12.5,
    )


def test_a_stream_is_one_event(reported: Reported) -> None:
    with reported.emitter.call(vendor="openai", model="gpt-4o") as call:
        time.sleep(0.01)
        for chunk in chunks():
            call.chunk(chunk)
    (line,) = reported.lines()
    assert (line["id"], line["input_tokens"], line["output_tokens"]) == ("openai:chatcmpl-8", 3, 100)
    assert line["streaming"] is True
    assert 10 <= line["ttft_ms"] <= line["duration_ms"]
    assert "status" not in line
    assert CANARY not in str(line)


def test_first_token_is_what_the_caller_says_it_is(reported: Reported) -> None:
    with reported.emitter.call(vendor="openai") as call:
        call.first_token()
        time.sleep(0.05)
        call.first_token()
        call.chunk(chunks()[-1])
    (line,) = reported.lines()
    assert line["ttft_ms"] < 50 <= line["duration_ms"]


def test_a_stream_that_states_no_usage_is_counted_and_marked(reported: Reported) -> None:
    def consume() -> None:
        with reported.emitter.call(vendor="openai", model="gpt-4o") as call:
            for chunk in chunks(usage=False):
                call.chunk(chunk)
            raise TimeoutError

    with pytest.raises(TimeoutError):
        consume()
    with reported.emitter.call(vendor="never-heard-of", model="m") as call:
        call.chunk({"id": "x-1", "text": CANARY})
    cut, unknown = reported.lines()
    assert (cut["id"], cut["requested_model"], cut["status"]) == ("openai:chatcmpl-8", "gpt-4o", "timeout")
    assert cut["streaming"] is True
    assert (unknown["id"], unknown["model"]) == ("never-heard-of:x-1", "m")
    assert unknown["error_code"] == "usage_not_stated"


def test_a_call_that_was_not_billed_has_no_event(reported: Reported) -> None:
    error = ValueError(CANARY)
    with pytest.raises(ValueError) as raised, reported.emitter.call(vendor="openai"):
        raise error
    assert raised.value is error
    with reported.emitter.call(vendor="openai") as call:
        call.failed(TimeoutError())
    with reported.emitter.call(vendor="openai") as call:
        call.answer(COMPLETION)
        call.discard()
    assert reported.lines() == []
    assert reported.emitter.statistics.dropped == {}


def test_failures_are_recorded_for_who_asks(reported: Reported) -> None:
    def ask() -> None:
        with reported.emitter.call(vendor="openai", model="gpt-4o", record_failures=True, team="t") as call:
            call.retried(ConnectionResetError())
            raise TimeoutError

    with pytest.raises(TimeoutError):
        ask()
    first, second = reported.lines()
    assert (first["status"], first["error_code"]) == ("error", "ConnectionResetError")
    assert "attempt" not in first  # 1
    assert (second["status"], second["attempt"], second["team"]) == ("timeout", 2, "t")
    assert first["id"] != second["id"]
    assert "input_tokens" not in second


def test_a_stream_that_broke_off_and_was_asked_for_again_was_billed_twice(reported: Reported) -> None:
    with reported.emitter.call(vendor="openai", model="gpt-4o") as call:
        for chunk in chunks(usage=False):
            call.chunk({**chunk, "id": "chatcmpl-broken"})
        call.retried(ConnectionResetError())
        for chunk in chunks():
            call.chunk(chunk)
    broken, whole = reported.lines()
    assert (broken["id"], broken["status"]) == ("openai:chatcmpl-broken", "error")
    assert (whole["id"], whole["attempt"], whole["output_tokens"]) == ("openai:chatcmpl-8", 2, 100)
    assert "status" not in whole


def test_the_applications_own_failure_after_the_answer_changes_nothing(reported: Reported) -> None:
    def ask() -> None:
        with reported.emitter.call(vendor="openai", record_failures=True) as call:
            call.retried(TimeoutError())
            call.answer(COMPLETION)
            raise KeyError("the application's own")

    with pytest.raises(KeyError):
        ask()
    failed, billed = reported.lines()
    assert failed["status"] == "timeout"
    assert billed["attempt"] == 2
    assert "status" not in billed


def test_a_call_without_an_answer_is_told_to_the_developer(
    reported: Reported, caplog: pytest.LogCaptureFixture
) -> None:
    with reported.emitter.call(vendor="openai"):
        pass
    assert reported.lines() == []
    assert reported.emitter.statistics.dropped == {"unanswered": 1}
    deadline = time.monotonic() + 5
    while "no answer was handed over" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "no answer was handed over" in caplog.text


def test_what_cannot_be_read_is_dropped_and_nothing_else(reported: Reported) -> None:
    class Hostile:
        def __getattribute__(self, name: str) -> Any:
            raise SystemExit(name)

    assert reported.emitter.record(Hostile(), vendor="openai")
    assert reported.emitter.record({"error": {"message": CANARY}}, vendor="openai")
    assert reported.emitter.record(COMPLETION, vendor="opnai")
    assert reported.emitter.record(COMPLETION, vendor="openai", attempt=CANARY)  # type: ignore[arg-type]
    assert reported.emitter.record(COMPLETION, vendor="openai", colour="red")  # type: ignore[call-arg]
    with reported.emitter.call(vendor="openai") as call:
        call.chunk(Hostile())
        call.answer(COMPLETION)
    (line,) = reported.lines()
    assert line["id"] == "openai:chatcmpl-7"
    found = reported.emitter.statistics
    assert found.dropped == {"unreadable": 5}
    assert (found.recorded, found.confirmed, found.pending) == (6, 1, 0)
    assert CANARY not in found.last_error


def test_one_call_is_reported_once_whatever_is_done_to_it(reported: Reported) -> None:
    call = reported.emitter.call(vendor="acme", surface="s").begin()
    call.describe(vendor="openai", model="gpt-4o", surface="chat_completions", team="late")
    call.answer({"usage": {}})
    call.answer(COMPLETION)
    call.answer(None)
    call.end()
    call.end(ValueError())
    call.answer(COMPLETION)
    call.chunk(COMPLETION)
    call.retried(ValueError())
    with call:
        call.answer(COMPLETION)
    (line,) = reported.lines()
    assert (line["requested_model"], line["team"]) == ("gpt-4o", "late")


async def test_asynchronous_calls_that_are_cancelled_pass_it_on(reported: Reported) -> None:
    async def stream() -> None:
        async with reported.emitter.call(vendor="openai", model="gpt-4o") as call:
            for chunk in chunks():
                call.chunk(chunk)
                await asyncio.sleep(0)
                if chunk.get("usage"):
                    continue
            await asyncio.sleep(60)

    async def unanswered() -> None:
        async with reported.emitter.call(vendor="openai"):
            await asyncio.sleep(60)

    tasks = [asyncio.create_task(stream()), asyncio.create_task(unanswered())]
    await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    assert all(
        isinstance(one, asyncio.CancelledError)
        for one in await asyncio.gather(*tasks, return_exceptions=True)
    )
    (line,) = await asyncio.to_thread(reported.lines)
    assert line["output_tokens"] == 100


def test_an_answer_that_names_no_model_is_of_the_one_that_was_asked_for(reported: Reported) -> None:
    with reported.emitter.call(vendor="openai", model="whisper-1") as call:
        call.answer({"text": CANARY, "usage": {"type": "duration", "seconds": 9}})
    (line,) = reported.lines()
    assert (line["model"], line["units"]) == ("whisper-1", {"audio_seconds": "9"})
    assert line["id"].startswith("test:")


def test_calls_of_many_threads_are_kept_apart(reported: Reported) -> None:
    def work(number: int) -> None:
        with attributed(team=f"team-{number}"):
            for turn in range(50):
                with reported.emitter.call(vendor="openai") as call:
                    call.answer({**COMPLETION, "id": f"chatcmpl-{number}-{turn}"})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = reported.lines()
    assert len(lines) == 400
    assert all(line["team"] == f"team-{line['id'].split('-')[1]}" for line in lines)


def test_a_call_is_a_call(reported: Reported) -> None:
    """The type is public: whoever instruments a client holds on to it."""
    call = reported.emitter.call(vendor="openai")
    assert isinstance(call, Call)
    assert call.attempt == 1
    call.discard()

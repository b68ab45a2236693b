"""What instrumenting must not bring along: libraries, failures of its own, blocked or broken tasks."""

import asyncio
import subprocess
import sys
from typing import Any

import cohere
import openai
import pytest

from producers.instrumentation import instrument
from tests.instrumentation import answers
from tests.instrumentation.clients import ASKED
from tests.instrumentation.recording import RecordingEmitter
from tests.instrumentation.server import EVENTS, Reply, VendorServer, plain

_LIBRARIES = (
    "openai",
    "anthropic",
    "google.genai",
    "mistralai",
    "cohere",
    "botocore",
    "httpx",
    "httpx2",
    "urllib3",
)
STREAM = Reply(answers.events(answers.OPENAI_CHUNKS, done=True), content_type=EVENTS, pause_seconds=0.05)


def test_no_library_is_imported() -> None:
    program = (
        "import sys\n"
        "from producers.instrumentation import instrument\n"
        "from tokenweir.errors import WrongCall\n"
        "try:\n    instrument(object(), None)\n"
        "except WrongCall:\n    pass\n"
        f"print([name for name in {_LIBRARIES!r} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


async def _first_chunk_then_wait(client: Any, read: asyncio.Event) -> None:
    stream = await client.chat.completions.create(model="gpt-4o", messages=ASKED, stream=True)
    async with stream:
        async for _ in stream:
            read.set()


async def test_a_task_that_is_cancelled_within_a_stream(
    server: VendorServer, emitter: RecordingEmitter
) -> None:
    server.will_answer(STREAM)
    async with openai.AsyncOpenAI(api_key="made-up", base_url=f"{server.url}/v1") as client:
        instrument(client, emitter)
        read = asyncio.Event()
        task = asyncio.create_task(_first_chunk_then_wait(client, read))
        await read.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (emitter.event.status, emitter.event.streaming) == ("cancelled", True)


async def test_a_task_that_is_cancelled_before_the_answer(
    server: VendorServer, emitter: RecordingEmitter
) -> None:
    server.will_answer(Reply([b"{}"], pause_seconds=0.5))
    async with openai.AsyncOpenAI(api_key="made-up", base_url=f"{server.url}/v1") as client:
        instrument(client, emitter, record_failures=True)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.chat.completions.create(
                    model="gpt-4o", messages=[{"role": "user", "content": "x"}]
                )
    assert emitter.event.status == "cancelled"


async def test_tasks_that_inherit_a_failure_do_not_share_a_call(
    server: VendorServer, emitter: RecordingEmitter
) -> None:
    """After a failure in the parent, several children send the same request: each is a call of its own."""
    refused = Reply([b'{"error": {}}'], status=400)
    server.will_answer(refused, *[plain({**answers.OPENAI_CHAT, "id": f"c-{number}"}) for number in range(4)])
    async with openai.AsyncOpenAI(api_key="made-up", base_url=f"{server.url}/v1") as made:
        instrument(made, emitter)

        async def ask() -> None:
            await made.chat.completions.create(
                model="gpt-4o",
                messages=[{"role": "user", "content": "x"}],
                # Without the header by which OpenAI's client counts its attempts.
                extra_headers={"x-stainless-retry-count": openai.Omit()},  # type: ignore[dict-item]
            )

        with pytest.raises(openai.BadRequestError):
            await ask()
        await asyncio.gather(*(asyncio.create_task(ask()) for _ in range(4)))
    assert sorted(event.id for event in emitter.events) == [f"openai:c-{number}" for number in range(4)]
    assert sorted(event.attempt for event in emitter.events) == [1, 1, 1, 2]


class _FailingEmitter:
    def call(self, **_: Any) -> Any:
        raise RuntimeError("an emitter of somebody else's")


def test_an_emitter_that_fails_is_not_noticed(server: VendorServer, caplog: pytest.LogCaptureFixture) -> None:
    server.will_answer(plain(answers.OPENAI_CHAT))
    with openai.OpenAI(api_key="made-up", base_url=f"{server.url}/v1") as client:
        instrument(client, _FailingEmitter())
        answer = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "x"}])
    assert answer.id == "chatcmpl-1"
    assert "a call is not counted: RuntimeError" in caplog.text
    assert answers.CANARY not in caplog.text


def test_a_failure_is_no_attempt_of_another_observers_call(
    server: VendorServer, emitter: RecordingEmitter
) -> None:
    other = RecordingEmitter()
    with cohere.ClientV2(api_key="made-up", base_url=server.url) as client:
        server.will_answer(Reply([b"{}"], status=400))
        instrument(client, other)
        with pytest.raises(cohere.BadRequestError):
            client.chat(model="command-a-03-2025", messages=ASKED)  # type: ignore[arg-type]
        instrument(client, emitter)
        server.will_answer(plain(answers.COHERE_ANSWER))
        client.chat(model="command-a-03-2025", messages=ASKED)  # type: ignore[arg-type]
    assert emitter.event.attempt == 1
    assert other.events == []

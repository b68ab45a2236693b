"""An instrumented client, the emitter and Kafka: what official clients were answered, in the topic, once."""

import asyncio
import time
from typing import Any

import openai
import pytest

from producers.emitter import Emitter, attributed
from producers.instrumentation import instrument
from tests.emitter.topic_contents import make_topics, read_topic
from tests.instrumentation import answers
from tests.instrumentation.clients import CASES, Bench
from tests.instrumentation.server import EVENTS, Reply, VendorServer
from tests.kafka.fixtures import Broker
from tokenweir.local.broker import free_port
from tokenweir.settings import KafkaSettings

_PATIENCE_SECONDS = 120.0

pytestmark = pytest.mark.filterwarnings(
    "ignore:Inheritance class AiohttpClientSession:DeprecationWarning"  # google-genai's own
)


def test_every_call_arrives_once(
    embedded_broker: Broker, unique_prefix: str, bench: Bench, server: VendorServer
) -> None:
    settings = embedded_broker.settings(unique_prefix)
    make_topics(settings)
    expected = 0
    with Emitter(settings) as emitter:
        for case in CASES:
            client = instrument(bench.client(case, "instrumented"), emitter, team=case.name)
            with attributed(user="u-1"):
                server.will_answer(case.whole)
                bench.ask(case, client)
                server.will_answer(case.streamed())
                bench.read(case, client)
            expected += 2
        assert emitter.flush(_PATIENCE_SECONDS)
        assert not emitter.statistics.dropped
    lines = [line for message in read_topic(settings) for line in message.lines]
    assert len(lines) == expected
    assert {line["team"] for line in lines} == {case.name for case in CASES}
    assert {line["user"] for line in lines} == {"u-1"}
    assert answers.CANARY not in str(lines)


async def test_a_dead_broker_is_not_noticed(server: VendorServer) -> None:
    """Calls go through at their own pace, and tasks keep their own attribution."""
    server.will_answer(
        Reply(answers.events([*answers.OPENAI_CHUNKS, answers.OPENAI_USAGE_CHUNK]), content_type=EVENTS)
    )
    emitter = Emitter(KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port()}"))
    async with openai.AsyncOpenAI(api_key="made-up", base_url=f"{server.url}/v1") as client:
        instrument(client, emitter)

        async def ask(number: int) -> int:
            with attributed(user=f"u-{number}"):
                stream: Any = await client.chat.completions.create(
                    model="gpt-4o", messages=[{"role": "user", "content": "x"}], stream=True
                )
                return len([chunk async for chunk in stream])

        began_at = time.monotonic()
        given = await asyncio.gather(*map(ask, range(20)))
        took_seconds = time.monotonic() - began_at
    assert given == [len(answers.OPENAI_CHUNKS) + 1] * 20
    assert took_seconds < 10
    for _ in range(100):
        if emitter.statistics.pending == 20:
            break
        await asyncio.sleep(0.05)
    assert emitter.statistics.pending == 20
    emitter.close(0)

"""Tokens by source, what a source fixes, and how much a sender may send."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from producers.delivery import Delivery
from producers.gateway import GatewayMetrics, Intake
from producers.gateway.limits import BURST_SECONDS, MAX_SENDERS, Buckets
from producers.gateway.refusals import RequestRefused
from producers.gateway.senders import Sender, Senders
from tests.emitter.topic_contents import event
from tests.gateway.serving import fixed_now, lines_of, serving
from tests.kafka.fixtures import EMBEDDED
from tokenweir.errors import WrongCall
from tokenweir.local.broker import free_port
from tokenweir.settings import GatewaySettings, KafkaSettings
from tokenweir.usage import wire

_ON_EMBEDDED = pytest.mark.parametrize("broker", [EMBEDDED], indirect=True)
_JSON = {"Content-Type": "application/json"}
_TOKENS = {
    "acme-apps": SecretStr("made-up-acme"),
    "other-apps": SecretStr("made-up-other"),
    "open-apps": SecretStr("made-up-öpen"),
}
_ATTRIBUTION = {
    "acme-apps": {"tenant": "acme", "source": "acme-gateway", "team": "shop"},
    "other-apps": {"tenant": "other"},
}


def _bearer(token: str) -> dict[str, str]:
    return _JSON | {"Authorization": f"Bearer {token}"}


@_ON_EMBEDDED
async def test_a_token_fixes_what_its_sender_cannot_change(settings: KafkaSettings) -> None:
    gateway = GatewaySettings(token=SecretStr("made-up-old"), tokens=_TOKENS, attribution=_ATTRIBUTION)
    body = wire.encode_event(event(1, tenant="victim", team="mine", user="u"))
    async with serving(settings, gateway) as client:
        for token in ("made-up-acme", "made-up-other", "made-up-öpen", "made-up-old"):
            answer = await client.post(
                "/v1/events?tenant=victim&project=p", data=body, headers=_bearer(token)
            )
            assert answer.status == 202, await answer.text()
        for forged in (
            "made-up-acm",
            "made-up-acme ",
            "made-up-acme x",
            "",
            "MADE-UP-ACME",
            "made-up-acme\x80",
        ):
            answer = await client.post("/v1/events", data=body, headers=_bearer(forged))
            assert answer.status == (202 if forged == "made-up-acme " else 401), forged
            assert "made-up" not in await answer.text()
        metrics = await (await client.get("/metrics")).text()
    lines = await lines_of(settings)
    found = {(line["tenant"], line["source"], line["team"], line.get("project")) for line in lines}
    assert found == {
        ("acme", "acme-gateway", "shop", "p"),
        ("acme", "acme-gateway", "shop", None),
        ("other", "test", "mine", "p"),
        ("victim", "test", "mine", "p"),
    }
    assert 'sent_events_total{format="events",source="acme-apps"} 2.0' in metrics
    assert 'errors_total{stage="token"} 5.0' in metrics
    assert "made-up" not in metrics


@_ON_EMBEDDED
async def test_otlp_and_records_are_attributed_to_the_tokens_source(settings: KafkaSettings) -> None:
    gateway = GatewaySettings(tokens=_TOKENS, attribution=_ATTRIBUTION)
    answer_body = {"id": "c-1", "model": "gpt-4o", "usage": {"prompt_tokens": 5, "completion_tokens": 1}}
    async with serving(settings, gateway) as client:
        for token in ("made-up-acme", "made-up-other"):
            answer = await client.post(
                "/v1/answers/openai", data=json.dumps(answer_body), headers=_bearer(token)
            )
            assert answer.status == 202, await answer.text()
        assert (await client.post("/v1/traces", data=b"{}", headers=_JSON)).status == 401
    assert {(line["tenant"], line["source"]) for line in await lines_of(settings)} == {
        ("acme", "acme-gateway"),
        ("other", "other-apps"),
    }


@_ON_EMBEDDED
async def test_a_page_of_another_site_cannot_write_to_a_gateway_that_asks_for_no_token(
    settings: KafkaSettings,
) -> None:
    async with serving(settings) as client:
        for site, status in (("cross-site", 403), ("same-origin", 202), ("none", 202)):
            answer = await client.post(
                "/v1/events",
                data=wire.encode_event(event(1)),
                headers={"Sec-Fetch-Site": site},
                skip_auto_headers=["Content-Type"],
            )
            assert answer.status == status, site
        refused = await client.post("/v1/logs", json={}, headers={"Sec-Fetch-Site": "cross-site"})
        assert (refused.status, (await refused.json())["code"]) == (403, 7)


async def test_one_sender_cannot_hold_all_the_room() -> None:
    kafka = KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port()}")
    delivery = Delivery(kafka)
    gateway = GatewaySettings(max_body_bytes=1_024)
    intake = Intake(gateway, delivery, GatewayMetrics(CollectorRegistry(), delivery), fixed_now)
    greedy, second, third = (Sender(f"peer:{number}") for number in range(3))
    with intake._holding(greedy) as hold:
        hold(4 * 1_024)
        with pytest.raises(RequestRefused) as busy:
            hold(1)
        assert (busy.value.status, busy.value.stage) == (503, "busy")
        with intake._holding(second) as hold_second:
            hold_second(4 * 1_024)
            with intake._holding(third) as hold_third, pytest.raises(RequestRefused):
                hold_third(1)
    with intake._holding(third) as hold_third:
        hold_third(4 * 1_024)
    assert not intake._held
    assert await asyncio.to_thread(delivery.close, 1.0)


@pytest.mark.parametrize(
    "settings",
    [
        GatewaySettings(tokens={"a": SecretStr("")}),
        GatewaySettings(tokens={"a": SecretStr("same"), "b": SecretStr("same")}),
        GatewaySettings(token=SecretStr("same"), tokens={"a": SecretStr("same")}),
        GatewaySettings(attribution={"nobody": {"tenant": "x"}}),
        GatewaySettings(tokens={"a": SecretStr("t")}, attribution={"a": {"model": "x"}}),
        GatewaySettings(tokens={"a": SecretStr("t")}, attribution={"a": {"tenant": ""}}),
        GatewaySettings(tokens={"a": SecretStr("t")}, attribution={"a": {"team": "x\n"}}),
    ],
)
def test_settings_that_contradict_themselves_are_told(settings: GatewaySettings) -> None:
    with pytest.raises(WrongCall) as error:
        Senders(settings)
    assert "same" not in str(error.value)


@_ON_EMBEDDED
async def test_who_sends_too_often_is_told_when_to_come_back(settings: KafkaSettings) -> None:
    gateway = GatewaySettings(tokens=_TOKENS, requests_per_second=2)
    line = wire.encode_event(event(1))
    async with serving(settings, gateway) as client:
        statuses = [
            (await client.post("/v1/events", data=line, headers=_bearer("made-up-acme"))).status
            for _ in range(14)
        ]
        assert statuses[:10] == [202] * 10
        assert 429 in statuses[10:]
        limited = await client.post("/v1/traces", data=b"", headers=_bearer("made-up-acme"))
        assert limited.status == 429
        assert (await limited.json())["code"] == 8
        wait = int(limited.headers["Retry-After"])
        assert 1 <= wait <= 2
        other = await client.post("/v1/events", data=line, headers=_bearer("made-up-other"))
        assert other.status == 202, "one sender's limit is not another's"
        await asyncio.sleep(wait)
        again = await client.post("/v1/events", data=line, headers=_bearer("made-up-acme"))
        assert again.status == 202
        guesses = [
            (await client.post("/v1/events", data=line, headers=_bearer(f"guess-{n}"))).status
            for n in range(14)
        ]
        assert set(guesses[:10]) == {401}
        assert 429 in guesses[10:], "guessing is limited, too"


@_ON_EMBEDDED
async def test_who_sends_too_much_is_told_when_to_come_back(settings: KafkaSettings) -> None:
    body = b"\n".join(wire.encode_event(event(number)) for number in range(100))
    gateway = GatewaySettings(bytes_per_second=len(body))
    async with serving(settings, gateway) as client:
        headers = {"Content-Type": "application/x-ndjson"}
        statuses = [(await client.post("/v1/events", data=body, headers=headers)).status for _ in range(9)]
        assert statuses[: int(BURST_SECONDS)] == [202] * int(BURST_SECONDS)
        assert 429 in statuses


def test_a_bucket_fills_up_again_and_may_be_overdrawn_once() -> None:
    buckets = Buckets(10.0)
    assert buckets.wait_seconds("a", 0.0) == 0
    buckets.take("a", 100.0, 0.0)  # 50 more than there was
    assert buckets.wait_seconds("a", 0.0) == 6
    assert buckets.wait_seconds("a", 5.0) == 1
    assert buckets.wait_seconds("a", 5.2) == 0
    assert buckets.wait_seconds("b", 0.0) == 0
    buckets.take("a", 1.0, 1_000.0)
    assert buckets.wait_seconds("a", 1_000.0) == 0


def test_no_rate_is_no_limit_and_memory_is_bounded() -> None:
    unlimited = Buckets(0.0)
    unlimited.take("a", 1e12, 0.0)
    assert unlimited.wait_seconds("a", 0.0) == 0
    buckets = Buckets(1.0)
    for number in range(MAX_SENDERS + 100):
        buckets.take(f"peer-{number}", 100.0, 0.0)
    assert len(buckets._levels) == MAX_SENDERS
    assert buckets.wait_seconds("peer-0", 0.0) == 0


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 50)), min_size=1, max_size=60))
def test_what_gets_through_never_exceeds_the_rate(sent: list[tuple[float, Any]]) -> None:
    rate, now, taken, largest = 10.0, 0.0, 0.0, 0.0
    buckets = Buckets(rate)
    for pause, amount in sent:
        now += pause
        if buckets.wait_seconds("a", now) == 0:
            buckets.take("a", amount, now)
            taken += amount
            largest = max(largest, amount)
        assert taken <= rate * (BURST_SECONDS + now) + largest + 1e-6

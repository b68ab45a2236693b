"""What an app is made of: settings to Faust's, roles and what they need, /health and /metrics."""

import ssl
from pathlib import Path
from typing import Any

import faust
import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from streams.app import build_app, consumer_group
from streams.connection import broker_urls, credentials, faust_options
from streams.observe import StreamMetrics, build_observer_app
from tests.streams.making import FlatBook
from tests.streams.stores import MemoryStore
from tokenweir.errors import BrokerUnavailable, WrongCall
from tokenweir.local.broker import free_port
from tokenweir.settings import KafkaSettings, Settings, WorkerSettings


def test_every_broker_of_the_settings_is_named() -> None:
    urls = broker_urls(KafkaSettings(bootstrap_servers="one:9092, two:9093"))
    assert [(url.host, url.port) for url in urls] == [("one", 9092), ("two", 9093)]


def test_no_broker_is_a_wrong_call() -> None:
    with pytest.raises(WrongCall, match="bootstrap_servers"):
        broker_urls(KafkaSettings(bootstrap_servers=" , "))


def test_credentials_follow_the_settings() -> None:
    assert credentials(KafkaSettings()) is None
    assert isinstance(credentials(KafkaSettings(security_protocol="SSL")), faust.SSLCredentials)
    sasl = credentials(
        KafkaSettings(
            security_protocol="SASL_SSL",
            sasl_mechanism="SCRAM-SHA-512",
            sasl_username="weir",
            sasl_password=SecretStr("s3cret"),
        )
    )
    assert sasl.mechanism.value == "SCRAM-SHA-512"
    assert sasl.protocol.value == "SASL_SSL"
    assert sasl.password == "s3cret"
    assert isinstance(sasl.ssl_context, ssl.SSLContext)
    assert "s3cret" not in repr(sasl)


def test_contradictory_security_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(WrongCall, match="sasl_mechanism"):
        credentials(KafkaSettings(security_protocol="SASL_PLAINTEXT"))
    with pytest.raises(WrongCall, match="TLS"):
        credentials(KafkaSettings(security_protocol="SSL", ssl_cafile=tmp_path / "absent.pem"))


def test_compression_none_is_none(tmp_path: Path) -> None:
    assert faust_options(KafkaSettings(compression="none"), tmp_path)["producer_compression_type"] is None
    assert faust_options(KafkaSettings(compression="zstd"), tmp_path)["producer_compression_type"] == "zstd"


async def test_a_role_says_what_it_lacks(tmp_path: Path) -> None:
    settings = Settings(worker=WorkerSettings(state_dir=tmp_path))
    with pytest.raises(WrongCall, match="price book"):
        build_app(settings, "meter")
    with pytest.raises(WrongCall, match="store"):
        build_app(settings, "sink")
    with pytest.raises(WrongCall, match="detectors"):
        build_app(settings, "detect")
    with pytest.raises(WrongCall, match="no such role"):
        build_app(settings, "dashboard", book=FlatBook())  # type: ignore[arg-type]


def test_two_installations_have_groups_of_their_own() -> None:
    assert consumer_group(KafkaSettings(), "meter") == "tokenweir.meter"
    assert consumer_group(KafkaSettings(topic_prefix="other."), "meter") == "other.meter"


async def test_an_app_that_never_started_is_stopped_and_says_so(tmp_path: Path) -> None:
    app = build_app(Settings(worker=WorkerSettings(state_dir=tmp_path)), "meter", book=FlatBook())
    assert await app.stop()
    assert app.health()["state"] == "stopped"


@pytest.mark.parametrize(("healthy", "status"), [(True, 200), (False, 503)])
async def test_health_and_metrics_answer(healthy: bool, status: int) -> None:
    registry = CollectorRegistry()
    StreamMetrics("meter", registry).received_events.inc(7)
    StreamMetrics("sink", registry)

    def health() -> dict[str, Any]:
        return {"role": "meter", "healthy": healthy}

    async with TestClient(TestServer(build_observer_app(registry, [health]))) as client:
        answer = await client.get("/health")
        assert answer.status == status
        assert (await answer.json())["workers"] == [{"role": "meter", "healthy": healthy}]
        text = await (await client.get("/metrics")).text()
    assert "tokenweir_meter_received_events_total 7.0" in text
    assert "tokenweir_sink_flush_seconds_bucket" in text


@pytest.mark.parametrize("role", ["meter", "sink"])
async def test_a_broker_that_is_not_there_is_said_so(role: Any, tmp_path: Path) -> None:
    settings = Settings(
        kafka=KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port()}"),
        worker=WorkerSettings(state_dir=tmp_path),
    )
    app = build_app(settings, role, book=FlatBook(), sink=MemoryStore())
    with pytest.raises(BrokerUnavailable, match="cannot be reached"):
        await app.start()
    assert app.health()["state"] == "stopped"
    assert await app.stop()

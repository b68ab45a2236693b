"""`weir gateway` as a process: it takes usage, cuts off who sends no request, and ends when it is told to."""

import json
import signal
import socket
import time
import urllib.request
from pathlib import Path

import pytest

from tests.emitter.topic_contents import event, read_ids
from tests.end_to_end.commands import wait_for, weir, weir_process
from tests.kafka.fixtures import EMBEDDED
from tokenweir.local.broker import free_port
from tokenweir.settings import KafkaSettings
from tokenweir.usage import wire


@pytest.mark.parametrize("broker", [EMBEDDED], indirect=True)
def test_the_process(settings: KafkaSettings, tmp_path: Path) -> None:
    port = free_port()
    environment = {
        "TOKENWEIR_KAFKA__BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "TOKENWEIR_KAFKA__TOPIC_PREFIX": settings.topic_prefix,
        "TOKENWEIR_GATEWAY__HEADER_TIMEOUT_SECONDS": "1",
        "TOKENWEIR_GATEWAY__TOKENS": json.dumps({"apps": "made-up-token"}),
    }
    log = tmp_path / "gateway.log"
    arguments = ("gateway", "--port", str(port))
    with weir_process(*arguments, cwd=tmp_path, log=log, extra=environment) as process:
        wait_for("the gateway", lambda: f":{port}/v1/events" in log.read_text(), log=log)
        with socket.create_connection(("127.0.0.1", port), timeout=20) as slow:
            slow.sendall(b"POST /v1/events HTTP/1.1\r\nHost: g\r\nX-Slow: ")
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/v1/events",
                data=wire.encode_event(event(1)),
                headers={"Content-Type": "application/json", "Authorization": "Bearer made-up-token"},
            )
            with urllib.request.urlopen(request, timeout=20) as answer:
                assert answer.status == 202
            began = time.monotonic()
            assert slow.recv(100) == b"", "who never ends its headers is cut off"
            assert time.monotonic() - began < 10
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert read_ids(settings) == ["openai:call-1"]
    assert "made-up-token" not in log.read_text()


def test_tokens_that_contradict_themselves_end_it_at_once(tmp_path: Path) -> None:
    tokens = json.dumps({"a": "made-up-token", "b": "made-up-token"})
    done = weir("gateway", cwd=tmp_path, status=2, extra={"TOKENWEIR_GATEWAY__TOKENS": tokens})
    assert b"Give each source its own" in done.stderr
    assert b"made-up-token" not in done.stdout + done.stderr

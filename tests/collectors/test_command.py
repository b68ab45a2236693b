"""`weir collect` as a process of its own, against a real broker: killed, interrupted, without Kafka, with agents."""

import json
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.collectors.world import line
from tests.emitter.topic_contents import make_topics, read_topic
from tests.end_to_end.commands import wait_for, weir, weir_json, weir_process
from tests.kafka.fixtures import Broker
from tokenweir.local.broker import EmbeddedBroker, free_port
from tokenweir.settings import KafkaSettings
from tokenweir.topics import REJECTED

CANARY = "the quick brown canary"
MAP = ("--map", "time=time", "--map", "input_tokens=in", "--set", "vendor=openai", "--set", "model=gpt-4o")


@pytest.fixture
def kafka(embedded_broker: Broker, unique_prefix: str) -> KafkaSettings:
    found = embedded_broker.settings(unique_prefix)
    make_topics(found)
    return found


def variables(kafka: KafkaSettings) -> dict[str, str]:
    return {
        "TOKENWEIR_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "TOKENWEIR_KAFKA__TOPIC_PREFIX": kafka.topic_prefix,
    }


def sent(kafka: KafkaSettings) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for message in read_topic(kafka) for one in message.lines}


def test_killed_again_and_again_while_the_log_grows_and_rotates(kafka: KafkaSettings, tmp_path: Path) -> None:
    log, said = tmp_path / "app.log", tmp_path / "said.txt"
    written = 0
    command = ("collect", "files", "app.log", *MAP, "--poll-seconds", "0.05", "--state-dir", "state")

    def write(count: int) -> None:
        nonlocal written
        with log.open("a") as handle:
            for number in range(written, written + count):
                handle.write(line(number) + "\n")
        written += count

    for killing in range(4):
        before = len(sent(kafka))
        with weir_process(*command, cwd=tmp_path, log=said, extra=variables(kafka)) as process:
            write(3000)
            wait_for("something is sent", lambda before=before: len(sent(kafka)) > before, log=said)
            write(2000)
            if killing % 2:
                log.rename(tmp_path / f"app.log.{killing}")
                write(1000)
            time.sleep(0.05 * killing)
            process.send_signal(signal.SIGKILL)
            process.wait()
    weir(*command, "--once", cwd=tmp_path, extra=variables(kafka))
    assert sorted(one.get("input_tokens", 0) for one in sent(kafka).values()) == list(range(written))


def test_interrupted_it_ends_well_and_answers_for_itself_until_then(
    kafka: KafkaSettings, tmp_path: Path
) -> None:
    port, said = free_port(), tmp_path / "said.txt"
    (tmp_path / "app.log").write_text(line(1) + "\n" + '{"time": "' + CANARY + '", "in": 1}\n')
    arguments = (
        "collect",
        "files",
        "*.log",
        *MAP,
        "--poll-seconds",
        "0.1",
        "--metrics-port",
        str(port),
        "--json",
    )
    with weir_process(*arguments, cwd=tmp_path, log=said, extra=variables(kafka)) as process:
        wait_for("it is sent", lambda: sent(kafka), log=said)
        address = f"http://127.0.0.1:{port}/metrics"
        wait_for("it is counted", lambda: b"sent_events_total 1.0" in urllib.request.urlopen(address).read())
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
    summary = json.loads("\n".join(said.read_text().splitlines()[1:]))
    assert (summary["events"], summary["rejections"], summary["files"]) == (1, 1, 1)
    rejected = read_topic(kafka, REJECTED)
    assert len(rejected) == 1
    assert not any(CANARY.encode() in message.value for message in [*rejected, *read_topic(kafka)])


def test_kafka_that_comes_later_gets_everything(tmp_path: Path, unique_prefix: str) -> None:
    port, said = free_port(), tmp_path / "said.txt"
    kafka = KafkaSettings(bootstrap_servers=f"127.0.0.1:{port}", topic_prefix=unique_prefix)
    (tmp_path / "app.log").write_text(line(1) + "\n")
    arguments = ("collect", "files", "app.log", *MAP, "--poll-seconds", "0.1")
    with weir_process(*arguments, cwd=tmp_path, log=said, extra=variables(kafka)):
        wait_for("it says so", lambda: "Trying again" in said.read_text(), log=said)
        with EmbeddedBroker(port=port, log=tmp_path / "broker.log"):
            make_topics(kafka)
            wait_for("it is sent", lambda: sent(kafka), log=said)


def session(folder: Path, content: list[dict[str, Any]] | dict[str, Any], name: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, dict):
        path.write_text(json.dumps(content, indent=2))
    else:
        path.write_text("".join(json.dumps(one) + "\n" for one in content))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    usage = {"input_tokens": 100, "output_tokens": 50}
    message = {
        "id": "msg_1",
        "role": "assistant",
        "model": "claude-sonnet-5",
        "content": CANARY,
        "usage": usage,
    }
    entry = {
        "type": "assistant",
        "uuid": "u",
        "sessionId": "s",
        "timestamp": "2026-10-01T00:00:00Z",
        "message": message,
    }
    session(folder, [entry, entry], ".claude/projects/-home-ann-shop/s.jsonl")
    session(folder, [entry], ".claude/projects/-home-ann-shop/s/subagents/a.jsonl")
    totals = {
        "input_tokens": 1000,
        "cached_input_tokens": 200,
        "output_tokens": 90,
        "reasoning_output_tokens": 10,
    }
    info = {"total_token_usage": totals, "last_token_usage": totals}
    rollout = [
        {"timestamp": "2026-10-01T00:00:00Z", "type": "session_meta", "payload": {"id": "c-1"}},
        {"timestamp": "2026-10-01T00:00:01Z", "type": "turn_context", "payload": {"model": "gpt-5.4-codex"}},
        {"timestamp": "2026-10-01T00:00:02Z", "type": "response_item", "payload": {"content": CANARY}},
        {
            "timestamp": "2026-10-01T00:00:03Z",
            "type": "event_msg",
            "payload": {"type": "token_count", "info": info},
        },
    ]
    session(folder, rollout, ".codex/sessions/2026/10/01/rollout-1.jsonl")
    tokens = {"input": 10, "output": 4, "cached": 2, "thoughts": 3, "tool": 1, "total": 18}
    answer = {"id": "m1", "type": "gemini", "model": "gemini-3-flash", "timestamp": "2026-10-01T00:00:05Z"}
    chat = {
        "sessionId": "g-1",
        "projectHash": "ab",
        "startTime": "2026-10-01T00:00:00Z",
        "messages": [{"id": "m0", "type": "user", "content": CANARY}, {**answer, "tokens": tokens}],
    }
    session(folder, chat, ".gemini/tmp/ab/chats/session-1.json")
    return folder


def test_the_sessions_of_all_agents_each_call_once(kafka: KafkaSettings, home: Path, tmp_path: Path) -> None:
    arguments = ("collect", "agents", "--home", str(home), "--set", "team=platform", "--once", "--json")
    summary = weir_json(*arguments, cwd=tmp_path, extra=variables(kafka))
    assert (summary["files"], summary["rejections"], summary["unreadable"]) == (4, 0, 0)
    found = {one["service"]: one for one in sent(kafka).values()}
    assert {name: (one["input_tokens"], one["output_tokens"]) for name, one in found.items()} == {
        "claude-code": (100, 50),
        "codex": (1000, 90),
        "gemini-cli": (11, 7),
    }
    assert {one["team"] for one in found.values()} == {"platform"}
    assert weir_json(*arguments, cwd=tmp_path, extra=variables(kafka))["events"] == 0
    assert not any(CANARY.encode() in message.value for message in read_topic(kafka))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("files", "a.log", "--format", "litelm"), b"Did you mean litellm?"),
        (("files", "a.log", "--map", "in=x"), b"no field 'in'"),
        (("agents", "copilot"), b"no agent 'copilot'"),
        (("files",), b"Missing argument"),
    ],
)
def test_wrong_calls(tmp_path: Path, arguments: tuple[str, ...], says: bytes) -> None:
    done: subprocess.CompletedProcess[bytes] = weir("collect", *arguments, cwd=tmp_path, status=2)
    assert says in done.stderr

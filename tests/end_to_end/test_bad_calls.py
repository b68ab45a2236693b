"""Commands called wrongly, and commands whose Kafka, ClickHouse or settings are not as they should be.

Each ends in bounded time with one sentence that says what to do next, and never with a stack trace.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from tests.end_to_end.commands import environment, wait_for, weir, weir_process
from tests.end_to_end.running import event
from tokenweir.cli.root import run
from tokenweir.local.broker import EmbeddedBroker, free_port

pytestmark = [pytest.mark.xdist_group("bad_calls"), pytest.mark.timeout(300)]

NAMED: Final = ("--set", "vendor=openai", "--set", "model=gpt-4o")

_ALL_HELP: Final = """
import contextlib, io, json
import click
from tokenweir.cli.root import run, weir
def walk(command, path):
    context = click.Context(command)
    yield path
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            yield from walk(command.get_command(context, name), [*path, name])
pages = {}
for path in walk(weir, []):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = run([*path, "--help"])
    pages[" ".join(path)] = [status, said.getvalue()]
print(json.dumps(pages))
"""


def refused(*arguments: str | Path, cwd: Path, status: int, extra: dict[str, str] | None = None) -> str:
    """The sentence with which a command ends; it says something, tells no stack and nothing on standard output."""
    done = weir(*arguments, cwd=cwd, status=status, extra=extra)
    said = done.stderr.decode()
    assert said.strip(), "it ends without a word"
    assert "Traceback" not in said, said
    assert done.stdout == b""
    return said


@pytest.fixture
def refused_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """As `refused`, in this process: for what ends before anything is begun, a tenth of the time."""

    def ask(*arguments: str, status: int, extra: dict[str, str] | None = None) -> str:
        monkeypatch.chdir(tmp_path)
        for name in os.environ.keys() - environment().keys():
            monkeypatch.delenv(name)
        for name, value in (extra or {}).items():
            monkeypatch.setenv(name, value)
        assert run(arguments) == status
        written, said = capfd.readouterr()
        assert said.strip(), "it ends without a word"
        assert "Traceback" not in said, said
        assert not written
        return said

    return ask


def test_every_command_has_help_with_an_example(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ALL_HELP], cwd=tmp_path, env=environment(), capture_output=True, check=True
    )
    pages = json.loads(done.stdout)
    assert len(pages) > 15
    for name, (status, page) in pages.items():
        assert status == 0, name
        assert "Example" in page or not name, name
        assert f"weir {name}".rstrip() in page.partition("xample")[2] or not name, name


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nosuch"], "No such command"),
        (["ingest"], "Missing argument"),
        (["ingest", "nowhere.csv"], "no file nowhere.csv"),
        (["ingest", "."], "nothing here can be read"),
        (["ingest", "calls.csv", "--format", "nosuch"], "nosuch"),
        (["ingest", "calls.csv", *NAMED, "--map", "time=T", "--map", "input_tokens=Nope"], "Nope"),
        (["ingest", "calls.csv", "--map", "time=T", "--map", "input_tokens=N"], "--set vendor=VALUE"),
        (["ingest", "calls.csv", "--map", "nosuch=T"], "nosuch"),
        (["ingest", "calls.csv", "--map", "time"], "time"),
        (["ingest", "calls.csv", *NAMED, "--map", "time=T:%Q", "--map", "input_tokens=N"], "%Q"),
        (["ingest", "calls.csv", "--set", "input_tokens=many"], "input_tokens"),
        (["ingest", "calls.parquet"], "Parquet"),
        (["spend", "--by", "nosuch"], "there is no ledger"),
        (["spend", "--since", "someday"], "there is no ledger"),
        (["price", "--at", "someday"], "is not a time"),
        (["price", "--prices", "nowhere.toml"], "nowhere.toml"),
        (["parse"], "--vendor"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_call_ends_with_status_two(
    arguments: list[str], sentence: str, tmp_path: Path, refused_here: Callable[..., str]
) -> None:
    (tmp_path / "calls.csv").write_text("T,N\n2026-01-01T00:00:00Z,5\n")
    (tmp_path / "calls.parquet").write_bytes(b"PAR1....")
    assert sentence in refused_here(*arguments, status=2)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nosuch"], "No such command"),
        (["worker"], "--role"),
        (["worker", "--role", "sink"], "TOKENWEIR_CLICKHOUSE__DSN"),
        (["up", "--port", "99999"], "99999"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_call_of_what_goes_on_ends_at_once(
    arguments: list[str], sentence: str, tmp_path: Path
) -> None:
    assert sentence in refused(*arguments, cwd=tmp_path, status=2)


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        ({"TOKENWEIR_KAFKA__PARTITIONS": "many"}, "TOKENWEIR_KAFKA__PARTITIONS"),
        ({"TOKENWEIR_LOG_LEVEL": "loud"}, "log_level"),
        ({"TOKENWEIR_KAFKA__PARTITONS": "4"}, "Did you mean kafka.partitions"),
        ({"TOKENWEIR_KAKFA__PARTITIONS": "4"}, "Did you mean kafka.partitions"),
        ({"TOKENWEIR_KAFKA": "host:9092"}, "kafka"),
        ({"TOKENWEIR_KAFKA__BOOTSTRAP_SERVERS": ""}, "kafka.bootstrap_servers"),
        ({"TOKENWEIR_CLICKHOUSE__DATABASE": "a;b"}, "clickhouse.database"),
    ],
    ids=lambda value: next(iter(value.items())).__str__() if isinstance(value, dict) else "",
)
def test_a_wrong_variable_is_named(
    extra: dict[str, str], sentence: str, refused_here: Callable[..., str]
) -> None:
    assert sentence in refused_here("unpriced", status=2, extra=extra)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"log_level = [", "tokenweir.toml cannot be read"),
        (b"\xff\xfe", "tokenweir.toml cannot be read"),
        (b"[kafka]\npartitons = 4\n", "Did you mean kafka.partitions"),
        (b"[clickhouse]\ndsn = 5\n", "clickhouse.dsn"),
    ],
    ids=["broken", "no text", "misspelt", "wrong type"],
)
def test_a_wrong_settings_file_is_named(
    content: bytes, sentence: str, tmp_path: Path, refused_here: Callable[..., str]
) -> None:
    (tmp_path / "tokenweir.toml").write_bytes(content)
    assert sentence in refused_here("unpriced", status=2)


def test_a_variable_that_is_no_setting_is_said_and_a_secret_is_not(tmp_path: Path) -> None:
    said = refused(
        "unpriced",
        cwd=tmp_path,
        status=2,
        extra={"TOKENWEIR_LOGLEVEL": "debug", "TOKENWEIR_CLICKHOUSE__DSN": "mysql://me:hunter2@host/db"},
    )
    assert "TOKENWEIR_LOGLEVEL is no setting and is passed over. Did you mean log_level" in said
    assert "mysql" in said
    assert "hunter2" not in said


@pytest.fixture
def away() -> dict[str, str]:
    """Settings of a Kafka and a ClickHouse that are not there."""
    return {
        "TOKENWEIR_KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
        "TOKENWEIR_CLICKHOUSE__DSN": f"clickhouse://me:hunter2@127.0.0.1:{free_port()}",
    }


@pytest.fixture
def one_event(tmp_path: Path) -> Path:
    path = tmp_path / "events.ndjson"
    path.write_text(json.dumps(event(1)))
    return path


def test_a_kafka_that_is_away_is_named(away: dict[str, str], one_event: Path, tmp_path: Path) -> None:
    commands = (
        ["topics", "create"],
        ["topics", "list"],
        ["worker", "--role", "meter"],
        ["ingest", one_event.name],
    )
    # At once, since each waits a while for a Kafka that may be starting.
    with ThreadPoolExecutor(len(commands) + 1) as at_once:
        doctor = at_once.submit(weir, "doctor", "--json", cwd=tmp_path, status=1, extra=away)
        answers = [at_once.submit(refused, *one, cwd=tmp_path, status=1, extra=away) for one in commands]
    for answer in answers:
        said = answer.result()
        assert f"Kafka at {away['TOKENWEIR_KAFKA__BOOTSTRAP_SERVERS']}" in said
        assert "kafka.bootstrap_servers" in said
    findings = json.loads(doctor.result().stdout)
    wrong = {finding["subject"] for finding in findings if finding["state"] == "wrong"}
    assert {"kafka", "ledger"} <= wrong
    assert b"Traceback" not in doctor.result().stderr


def test_a_gateway_without_kafka_says_so_to_senders_and_in_its_log(
    away: dict[str, str], one_event: Path, tmp_path: Path
) -> None:
    port = free_port()
    log = tmp_path / "gateway.log"
    with weir_process("gateway", "--port", str(port), cwd=tmp_path, log=log, extra=away) as process:
        wait_for("the gateway", lambda: b"gateway at" in log.read_bytes(), log=log)
        asked = subprocess.run(
            [sys.executable, "-c", _POST, str(port)],
            input=one_event.read_bytes(),
            capture_output=True,
            check=True,
        )
        assert asked.stdout.startswith(b"503 2 ")
        assert b"Send the same again later" in asked.stdout
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
    assert "cannot be used" in log.read_text()
    assert "Traceback" not in log.read_text()


_POST: Final = """
import sys, urllib.error, urllib.request
url = f"http://127.0.0.1:{sys.argv[1]}/v1/events"
try:
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(url, sys.stdin.buffer.read(), headers), timeout=60)
except urllib.error.HTTPError as error:
    print(error.code, error.headers["Retry-After"], error.read().decode())
"""


def test_topics_that_are_missing_are_named_before_anything_is_read(one_event: Path, tmp_path: Path) -> None:
    with EmbeddedBroker() as broker:
        extra = {
            "TOKENWEIR_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "TOKENWEIR_CLICKHOUSE__DSN": "clickhouse://127.0.0.1:1",
        }
        said = refused("ingest", one_event, cwd=tmp_path, status=1, extra=extra)
    assert "no topic tokenweir.usage" in said
    assert "weir topics create" in said


@pytest.mark.parametrize(
    "arguments",
    [["spend"], ["query", "SELECT 1"], ["migrate"], ["worker", "--role", "sink"]],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_clickhouse_that_is_away_is_named(
    arguments: list[str], away: dict[str, str], tmp_path: Path
) -> None:
    said = refused(*arguments, cwd=tmp_path, status=1, extra=away)
    assert f"No ClickHouse answers at {away['TOKENWEIR_CLICKHOUSE__DSN'].rpartition('@')[2]}" in said
    assert "hunter2" not in said
    assert len(said.splitlines()) == 1


@pytest.fixture
def another_server() -> Iterator[int]:
    """The port of a server that answers every question with ClickHouse's refusal of a password."""
    program = (
        "import sys; from aiohttp import web\n"
        "async def refuse(request):\n"
        "    return web.Response(status=403, text='Code: 516. DB::Exception: me: Authentication failed',\n"
        "        headers={'X-ClickHouse-Exception-Code': '516'})\n"
        "app = web.Application(); app.router.add_route('*', '/{rest:.*}', refuse)\n"
        "web.run_app(app, host='127.0.0.1', port=int(sys.argv[1]), print=None)\n"
    )
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", program, str(port)])
    try:
        wait_for("the server", lambda: _listens(port))
        yield port
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def test_a_refused_password_is_said_and_not_shown(another_server: int, tmp_path: Path) -> None:
    extra = {"TOKENWEIR_CLICKHOUSE__DSN": f"clickhouse://me:hunter2@127.0.0.1:{another_server}"}
    said = refused("spend", cwd=tmp_path, status=1, extra=extra)
    assert "refuses the user or the password" in said
    assert "hunter2" not in said


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -c 'from tokenweir.cli import main; main()' price | head -1"
    lines = (json.dumps(event(1)) + "\n") * 20_000
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=tmp_path,
        env=environment(),
        input=lines.encode(),
        capture_output=True,
        check=False,
    )
    assert done.stderr == b""
    assert json.loads(done.stdout)["cost"] == "0.0075"

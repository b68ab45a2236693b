"""Runs a page as its reader would: its commands in order, in one directory, with one environment.

What goes on until interrupted (`weir up`, `weir demo`) runs in the background, on ports that are free; the ports that
the page names are replaced by the real ones in whatever follows. A page that speaks to a port without starting
anything is given a `weir up` of its own: its reader has one.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.docs.command_words import NOT_RUN, check_words
from tests.docs.pages import Block, commands
from tests.end_to_end.commands import environment, wait_for
from tokenweir.settings import Settings

_RUN: Final = frozenset({"weir", "curl", "echo", "cat"})
_TIMEOUT_SECONDS: Final = 240
_SHORT_DEMO: Final = ("--days", "1", "--calls-scale", "0.01")
"""Put behind every `weir demo`: the whole month takes a minute, and is tested elsewhere."""
_FREE_PORTS: Final = ("--port", "0", "--clickhouse-port", "0")
_ASSIGNMENT: Final = re.compile(r"[A-Z_]+=.*", re.DOTALL)
_ADDRESS: Final = re.compile(r"(?P<host>127\.0\.0\.1|localhost|kafka|gateway):(?P<port>\d{2,5})")
_PORT_ARGUMENT: Final = re.compile(r"\bport=(?P<port>\d{2,5})")

DEFAULTS: Final = Settings.model_construct()
_KAFKA_PORT: Final = int(DEFAULTS.kafka.bootstrap_servers.rpartition(":")[2])


class PageShell:
    """One page's directory, environment and running pipelines. A context; at its end everything is stopped."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self._environment = environment()
        self._environment["PATH"] = os.pathsep.join((str(programs), os.environ.get("PATH", os.defpath)))
        # What deploy.md and gateway.md have their reader put into the environment.
        self._environment |= {"GATEWAY_TOKEN": "a-token", "TOKEN": "a-token"}
        self._running: dict[Path, subprocess.Popen[bytes]] = {}
        self._at: dict[int, str] = {}

    def __enter__(self) -> "PageShell":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stops what runs, as Ctrl-C would; each must end with status 0."""
        for data_dir in list(self._running):
            self._stop(data_dir)

    def run_block(self, block: Block) -> None:
        """Runs the commands of a shell block, or a Python block, or asks the statements of an SQL block."""
        if block.language == "sh":
            for command in commands(block):
                self.run(command.text)
        elif block.language == "python":
            self._run_python(block.text)
        elif block.language == "sql":
            self.ask(block.text)

    def run(self, text: str) -> None:
        """One command: run where it can be, else its words are checked."""
        words = shlex.split(text, comments=True)
        while words and _ASSIGNMENT.fullmatch(words[0]):
            words.pop(0)
        if words[0] == "export":
            self._environment |= dict(
                pair.split("=", 1) for pair in shlex.split(self._with_real_ports(" ".join(words[1:])))
            )
        elif words[0] in NOT_RUN:
            check_words(words)
            if words[:3] == ["docker", "compose", "exec"] and words[4:5] == ["weir"]:
                self.pipeline()
                self._finished(words[4:])
        elif words[0] not in _RUN:
            check_words(words)
        elif words[:2] == ["weir", "up"]:
            check_words(words)
            self._start(words)
        elif words[:2] == ["weir", "demo"]:
            check_words(words)
            self._demo(words)
        else:
            if words[0] == "weir":
                check_words(words)
            text = self._with_real_ports(text)
            self._finished(["sh", "-e", "-c", re.sub(r"^curl ", "curl --fail --show-error ", text)])

    def _run_python(self, text: str) -> None:
        text = self._with_real_ports(text)
        extra = {}
        if "Settings()" in text:
            self.pipeline()
            extra = {"TOKENWEIR_KAFKA__BOOTSTRAP_SERVERS": self._at[_KAFKA_PORT]}
        self._finished([sys.executable, "-c", text], extra)

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """The rows that the page's pipeline answers to one statement, over its query port."""
        self.pipeline()
        address = f"http://{self._at[DEFAULTS.local.clickhouse_port]}/?default_format=JSON"
        statement = re.sub(r";\s*$", "", sql)
        with urllib.request.urlopen(address, data=statement.encode(), timeout=60) as answer:
            return list(json.load(answer)["data"])

    def weir(self, *arguments: str) -> bytes:
        """The output of a `weir` command in the page's directory."""
        return self._finished(["weir", *arguments])

    def pipeline(self) -> None:
        """Starts `weir up` where the page runs nothing yet."""
        if not self._running:
            self._start(["weir", "up"])

    @property
    def data_dirs(self) -> list[Path]:
        """The directories of the pipelines that run."""
        return list(self._running)

    def _demo(self, words: Sequence[str]) -> None:
        words = [*words, *_SHORT_DEMO]
        if "--no-wait" in words:
            self._finished(words)
            return
        data_dir = self._data_dir(words, ".tokenweir/demo")
        self._start(words, data_dir)
        self._stop(data_dir)

    def _start(self, words: Sequence[str], data_dir: Path | None = None) -> None:
        where = data_dir or self._data_dir(words, ".tokenweir")
        note, log = where / "running.json", self.folder / f"background-{len(self._running)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*words, *_FREE_PORTS],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._running[where] = process
        wait_for(
            f"`{shlex.join(words)}` comes up",
            lambda: process.poll() is not None or (note.exists() and "Ctrl-C" in log.read_text()),
            log=log,
            seconds=_TIMEOUT_SECONDS,
        )
        assert process.poll() is None, f"`{shlex.join(words)}` ended\n{log.read_text()[-4000:]}"
        found = json.loads(note.read_text(encoding="utf-8"))
        self._at = {
            DEFAULTS.local.port: f"127.0.0.1:{found['port']}",
            DEFAULTS.gateway.port: f"127.0.0.1:{found['port']}",
            DEFAULTS.local.clickhouse_port: f"127.0.0.1:{found['clickhouse_port']}",
            _KAFKA_PORT: found["kafka_bootstrap_servers"],
        }

    def _stop(self, data_dir: Path) -> None:
        process = self._running.pop(data_dir)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(timeout=120)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        assert status == 0, f"the pipeline on {data_dir.name} ended with {status}"

    def _data_dir(self, words: Sequence[str], usual: str) -> Path:
        named = words[words.index("--data-dir") + 1] if "--data-dir" in words else usual
        return self.folder / named

    def _with_real_ports(self, text: str) -> str:
        if not _ADDRESS.search(text) and not _PORT_ARGUMENT.search(text):
            return text
        self.pipeline()

        def real(port: str) -> str:
            assert int(port) in self._at, f"nothing listens on port {port}: {text}"
            return self._at[int(port)]

        text = _ADDRESS.sub(lambda found: real(found["port"]), text)
        return _PORT_ARGUMENT.sub(lambda found: f"port={real(found['port']).rpartition(':')[2]}", text)

    def _finished(self, words: Sequence[str], extra: Mapping[str, str] | None = None) -> bytes:
        done = subprocess.run(
            words,
            cwd=self.folder,
            env={**self._environment, **(extra or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, (
            f"{shlex.join(words)} ended with {done.returncode}\n"
            f"{done.stdout.decode()[-3000:]}\n{done.stderr.decode()[-6000:]}"
        )
        return done.stdout


def programs_folder(folder: Path) -> Path:
    """A folder for PATH with `weir`, `python`, and `curl` where the machine has none."""
    folder.mkdir()
    scripts = Path(sys.executable).parent
    for name, target in (("weir", scripts / "weir"), ("python", Path(sys.executable))):
        (folder / name).symlink_to(target)
    if shutil.which("curl") is None:
        stand_in = Path(__file__).with_name("curl_stand_in.py")
        (folder / "curl").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{stand_in}" "$@"\n')
        (folder / "curl").chmod(0o755)
    return folder

"""Applications in processes of their own, which report through an emitter and can be ended in any way."""

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tokenweir.settings import KafkaSettings

PATIENCE_SECONDS: Final = 120.0

_HEAD: Final = """
import os, sys, time
from datetime import UTC, datetime
from pathlib import Path
from producers.emitter import Emitter
from tokenweir.settings import KafkaSettings
from tokenweir.usage import UsageEvent

def event(number, **fields):
    return UsageEvent(id=f"openai:call-{number}", source="test", time=datetime(2026, 1, 1, tzinfo=UTC),
                      vendor="openai", model="gpt-4o", **fields)

def report_at_a_pace(emitter, first, calls_per_second):
    \"\"\"For ever; says of each call, once it is recorded, its number and when that was.\"\"\"
    began = time.monotonic()
    for number in range(first, 10**9):
        time.sleep(max(0.0, began + (number - first) / calls_per_second - time.monotonic()))
        assert emitter.record(event(number))
        sys.stdout.write(f"{number} {time.monotonic()}\\n")
        sys.stdout.flush()

spool = {"spool_dir": sys.argv[3]} if sys.argv[3] else {}
emitter = Emitter(KafkaSettings(bootstrap_servers=sys.argv[1], topic_prefix=sys.argv[2]), exit_timeout_seconds=30,
                  **spool)
"""


def _command(settings: KafkaSettings, body: str, spool_dir: Path | None) -> list[str]:
    return [
        sys.executable,
        "-c",
        _HEAD + textwrap.dedent(body),
        settings.bootstrap_servers,
        settings.topic_prefix,
        str(spool_dir or ""),
    ]


def run_program(settings: KafkaSettings, body: str, spool_dir: Path | None = None) -> str:
    """What a program says that ends well; it has `emitter`, `event(number)` and the usual modules."""
    done = subprocess.run(
        _command(settings, body, spool_dir),
        timeout=PATIENCE_SECONDS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


@contextmanager
def running_program(
    settings: KafkaSettings, body: str, spool_dir: Path | None, said: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """The same program, running; what it says goes to the file `said`. It is killed at the end of the block."""
    with said.open("wb") as file:
        process = subprocess.Popen(
            _command(settings, body, spool_dir), stdout=file, stderr=subprocess.DEVNULL
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

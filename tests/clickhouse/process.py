"""Starting and ending the ClickHouse server for tests (tests/clickhouse/server.py)."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_REPOSITORY: Final = Path(__file__).parents[2]
_START_SECONDS: Final = 60.0


def answers(port: int) -> bool:
    """Whether a server answers on this loopback port."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False


@contextmanager
def clickhouse_server(path: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server over the directory `path`, killed at the end; what it says is in `clickhouse.log` beside it."""
    command = [sys.executable, "-m", "tests.clickhouse.server", "--port", str(port), "--path", str(path)]
    log_file = path.parent / "clickhouse.log"
    with log_file.open("ab") as log:
        process = subprocess.Popen(command, cwd=_REPOSITORY, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the ClickHouse server did not come up: {log_file.read_text()[-2000:]}")
            time.sleep(0.1)
        yield process
    finally:
        process.kill()
        process.wait()

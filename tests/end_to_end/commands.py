"""Running `weir` as a person does: a process of its own, its output read back."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tokenweir.pricing.price_cache import CACHE_DIR_VARIABLE

_COMMAND: Final = (sys.executable, "-c", "from tokenweir.cli import main; main()")
_TIMEOUT_SECONDS: Final = 240


class WeirFailed(AssertionError):
    """A command ended with a status that the test did not expect."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without Tokenweir's settings, but for where books are kept, and with `extra`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TOKENWEIR_") or name == CACHE_DIR_VARIABLE
    }
    return {**kept, **(extra or {})}


def weir(
    *arguments: str | Path,
    cwd: Path,
    status: int = 0,
    stdin: bytes | None = None,
    extra: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Runs one command to its end. Raises WeirFailed for another exit status."""
    done = subprocess.run(
        [*_COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=environment(extra),
        input=stdin,
        capture_output=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode != status:
        raise WeirFailed(
            f"weir {' '.join(map(str, arguments))} ended with {done.returncode}, not {status}\n"
            f"{done.stdout.decode()[-3000:]}\n{done.stderr.decode()[-6000:]}"
        )
    return done


def weir_json(*arguments: str | Path, cwd: Path, **options: Any) -> Any:
    """The JSON that a command prints."""
    return json.loads(weir(*arguments, cwd=cwd, **options).stdout)


@contextmanager
def weir_process(
    *arguments: str | Path, cwd: Path, log: Path, extra: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A command that goes on; terminated at the end of the context, killed where that does not help."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*_COMMAND, *map(str, arguments)],
            cwd=cwd,
            env=environment(extra),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()


def wait_for(what: str, reached: Callable[[], Any], *, seconds: float = 120, log: Path | None = None) -> Any:
    """The first true answer of `reached`. Fails, with the end of the log, when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        answer = reached()
        if answer:
            return answer
        if time.monotonic() > deadline:
            said = log.read_text()[-4000:] if log is not None and log.exists() else ""
            raise AssertionError(f"{what}: not within {seconds:.0f} s\n{said}")
        time.sleep(0.2)

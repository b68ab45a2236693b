"""A server that runs beside us as a child process and does not outlive us.

Invariants:
- The child ends when this process ends, however it ends. On Linux the kernel sees to it, also under `kill -9`;
  elsewhere only an orderly exit does.
- A Ctrl-C in the terminal does not reach the child (it has a session of its own), so that whoever owns it can
  drain first and stop it last.
- The child is always reaped, and its end is known at once: `exit_status()` asks nothing of the kernel.

Limits: no restart policy; the owner decides. What the child prints goes to a file, or nowhere.
"""

import atexit
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

# Run by a bare interpreter between fork and the server: asks the kernel for SIGKILL when the parent dies
# (prctl PR_SET_PDEATHSIG, 1, which survives exec), makes sure that the parent is not dead already, and becomes the
# server. subprocess's preexec_fn would do the same, but runs Python in a fork of a process full of threads.
_TIED: Final = (
    "import ctypes,os,sys;"
    "ctypes.CDLL(None).prctl(1,9,0,0,0);"
    "os.getppid()==int(sys.argv[1]) or os._exit(1);"
    "os.execv(sys.argv[2],sys.argv[2:])"
)


class ChildProcess:
    """One child process. All methods may be called from any thread.

    command: an absolute path and its arguments. log: file that takes what the child prints (appended); None
    drops it. environment: in place of this process's own.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = list(command)
        self._log = log
        self._environment = None if environment is None else dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._failure: BaseException | None = None
        self._started = threading.Event()
        self._ended = threading.Event()

    @property
    def pid(self) -> int | None:
        """The child's process id; None before `start`."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the child. Raises OSError where it cannot be started (no such file, no memory)."""
        # The kernel ties a child to the thread that made it, not to the process: a thread of its own, which waits
        # for the child and so lives as long, makes `start` safe to call from a short-lived worker thread.
        threading.Thread(target=self._run, name=f"child {Path(self._command[0]).name}", daemon=True).start()
        self._started.wait()
        if self._failure is not None:
            raise self._failure
        atexit.register(self.stop, 2.0)

    def _run(self) -> None:
        command = self._command
        if sys.platform == "linux" and sys.executable:
            command = [sys.executable, "-I", "-S", "-c", _TIED, str(os.getpid()), *command]
        try:
            sink = os.open(
                os.devnull if self._log is None else self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644
            )
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=sink,
                    start_new_session=True,
                    env=self._environment,
                )
            finally:
                os.close(sink)
        except OSError as failure:
            self._failure = failure
            self._ended.set()
            self._started.set()
            return
        self._started.set()
        self._process.wait()
        self._ended.set()

    def exit_status(self) -> int | None:
        """The child's exit status (negative: the signal that ended it), or None while it runs or never ran."""
        return self._process.returncode if self._process is not None and self._ended.is_set() else None

    def wait(self, timeout_seconds: float | None = None) -> int | None:
        """Wait for the child to end. Returns its exit status, or None when it did not end in time."""
        self._ended.wait(timeout_seconds)
        return self.exit_status()

    def stop(self, grace_seconds: float = 5.0) -> int | None:
        """Ask the child to end, and after grace_seconds end it. Does nothing to a child that has ended."""
        return self._end(signal.SIGTERM, grace_seconds)

    def kill(self) -> int | None:
        """End the child at once (SIGKILL)."""
        return self._end(signal.SIGKILL, 0.0)

    def _end(self, how: signal.Signals, grace_seconds: float) -> int | None:
        process = self._process
        if process is None:
            return None
        if not self._ended.is_set():
            process.send_signal(how)
            if not self._ended.wait(grace_seconds):
                process.kill()
                self._ended.wait()
        atexit.unregister(self.stop)
        return process.returncode

"""A running `weir up` as its user has it, and an event as a sender writes it."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import Popen
from typing import Any, Final

from tests.end_to_end.commands import wait_for, weir_json, weir_process
from tokenweir.local.data_dir import DataDir, RunningPipeline

NOW: Final = datetime.now(UTC)


def event(number: int, **changes: Any) -> dict[str, Any]:
    """An event as a sender writes it; $0.0075 at gpt-4o's $2.50 and $10 a million."""
    return {
        "id": f"openai:chatcmpl-{number}",
        "source": "test",
        "time": (NOW - timedelta(minutes=5)).isoformat(),
        "vendor": "openai",
        "model": "gpt-4o",
        "team": "search",
        "input_tokens": 1000,
        "output_tokens": 500,
        **changes,
    }


@dataclass(frozen=True)
class Up:
    """A running `weir up`."""

    process: Popen[bytes]
    folder: Path
    log: Path
    running: RunningPipeline

    def send(self, body: bytes, content_type: str = "application/x-ndjson") -> tuple[int, dict[str, Any]]:
        """Status and answer of the gateway to any body."""
        request = urllib.request.Request(
            f"{self.running.page_url}v1/events", data=body, headers={"Content-Type": content_type}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, dict(json.loads(response.read()))
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, dict(json.loads(refusal.read()))

    def post(self, *events: dict[str, Any]) -> dict[str, Any]:
        """Good events to the gateway."""
        status, answer = self.send("\n".join(json.dumps(one) for one in events).encode())
        assert status == 202, answer
        return answer

    def get(self, path: str) -> str:
        """From the page's port."""
        with urllib.request.urlopen(f"{self.running.page_url}{path}", timeout=30) as response:
            return str(response.read().decode())

    def spend(self) -> list[dict[str, Any]]:
        """Through the running pipeline."""
        return list(weir_json("spend", "--json", "--data-dir", "ledger", cwd=self.folder))

    def wait_for_calls(self, calls: int) -> dict[str, Any]:
        """The ledger's totals, once they show just so many calls.

        While a block is being written, a call that moves between two minutes can be seen in both.
        """

        def reached() -> dict[str, Any] | None:
            rows = self.spend()
            return rows[0] if rows and rows[0]["calls"] == calls else None

        return dict(wait_for(f"{calls} calls in the ledger", reached, log=self.log))


def start(folder: Path) -> Iterator[Up]:
    """`weir up` on the directory `ledger` in `folder`, until the generator is closed."""
    log = folder / "up.log"
    arguments = ("up", "--data-dir", "ledger", "--port", "0", "--clickhouse-port", "0")
    with weir_process(*arguments, cwd=folder, log=log) as process:
        place = DataDir(folder / "ledger")
        wait_for("the data directory", lambda: place.path.exists() or process.poll() is not None, log=log)
        running = wait_for("weir up", lambda: place.running(wait_seconds=60), log=log)
        yield Up(process, folder, log, running)

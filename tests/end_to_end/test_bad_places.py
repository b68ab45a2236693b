"""A place that is no good, and a run that is broken off: what there is says so, and no ledger is the worse for it."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.end_to_end.commands import wait_for, weir, weir_json, weir_process
from tests.end_to_end.running import event

pytestmark = [pytest.mark.xdist_group("bad_places"), pytest.mark.timeout(600)]

EVENTS: Final = 40_000
DISK: Final = "8m"


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Events whose text does not compress to nothing."""
    path = tmp_path_factory.mktemp("events") / "events.ndjson"
    with path.open("w") as file:
        for number in range(EVENTS):
            file.write(json.dumps(event(number, session=os.urandom(100).hex())) + "\n")
    return path


def totals(ledger: Path) -> dict[str, Any]:
    (row,) = weir_json("spend", "--json", "--data-dir", ledger, cwd=ledger.parent)
    return dict(row)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk too small for the events."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(disk)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_ends_the_command_and_more_room_completes_it(small_disk: Path, events: Path) -> None:
    ledger = small_disk / "ledger"
    done = weir("ingest", events, "--data-dir", ledger, cwd=small_disk, status=1)
    said = done.stderr.decode()
    assert "no room left on its disk" in said.splitlines()[-1]
    assert "not counted twice" in said.splitlines()[-1]
    assert "Traceback" not in said
    subprocess.run(["mount", "-o", "remount,size=256m", str(small_disk)], check=True)
    weir("ingest", events, "--data-dir", ledger, cwd=small_disk)
    row = totals(ledger)
    assert (row["calls"], row["input_tokens"]) == (EVENTS, 1000 * EVENTS)


def test_a_file_in_the_place_of_a_data_directory(tmp_path: Path, events: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "ledger").write_text("mine")
    commands = (["ingest", events, "--data-dir"], ["up", "--data-dir"], ["demo", "--no-wait", "--data-dir"])
    for command in commands:
        for place in ("taken", "taken/below", "inner"):
            # `inner` can be made and locked; what cannot be opened there is the ledger. The demo sees no demo's.
            status = 1 if place == "inner" and command[0] != "demo" else 2
            done = weir(*command, place, cwd=tmp_path, status=status)
            said = done.stderr.decode()
            assert "Traceback" not in said, said
            assert re.search(r"(?:taken|inner)", said), said
    assert (tmp_path / "taken").read_text() == (tmp_path / "inner" / "ledger").read_text() == "mine"


def test_a_data_directory_in_use_is_left_alone(tmp_path: Path) -> None:
    """The holder takes no visitors, as an ingest's own pipeline does not."""
    from tokenweir.local.data_dir import DataDir

    place = DataDir(tmp_path / "ledger")
    with place.locked():
        place.ledger.mkdir()
        for command in (["up"], ["migrate"], ["demo", "--no-wait"]):
            done = weir(*command, "--data-dir", "ledger", cwd=tmp_path, status=1)
            assert f"is in use by process {os.getpid()}" in done.stderr.decode()
            assert "--data-dir" in done.stderr.decode()
        doctor = weir("doctor", "--data-dir", "ledger", cwd=tmp_path, status=0)
        assert b"is in use" in doctor.stdout


def test_a_ctrl_c_ends_an_ingest_and_the_next_one_completes_it(tmp_path: Path, events: Path) -> None:
    for seconds_after_start in (0.0, 5.0):
        log = tmp_path / f"{seconds_after_start}.log"
        with weir_process("ingest", events, "--data-dir", "ledger", cwd=tmp_path, log=log) as process:
            wait_for("the data directory", (tmp_path / "ledger" / "broker.log").exists, log=log)
            time.sleep(seconds_after_start)
            process.send_signal(signal.SIGINT)
            status = process.wait(timeout=60)
        said = log.read_text()
        # On a fast machine all may be stored by then.
        assert status == 130 or (seconds_after_start and status == 0), said
        assert "Traceback" not in said
    weir("ingest", events, "--data-dir", "ledger", cwd=tmp_path)
    assert totals(tmp_path / "ledger")["calls"] == EVENTS


def test_a_ctrl_c_ends_a_demo_and_leaves_a_ledger(tmp_path: Path) -> None:
    log = tmp_path / "demo.log"
    fewer = ("--calls-scale", "0.3", "--no-wait", "--data-dir", "ledger")
    with weir_process("demo", "--days", "4", *fewer, cwd=tmp_path, log=log) as process:
        wait_for("the fleet", lambda: b"reports sent" in log.read_bytes(), log=log)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130, log.read_text()
    assert "Traceback" not in log.read_text()
    assert "interrupted" in log.read_text()
    assert totals(tmp_path / "ledger")["calls"] > 0
    asked = weir("query", "SELECT count() FROM usage", "--data-dir", "ledger", cwd=tmp_path)
    assert asked.stdout
    again = weir_json("demo", "--days", "1", *fewer, "--json", cwd=tmp_path)
    assert again["exact"] is True

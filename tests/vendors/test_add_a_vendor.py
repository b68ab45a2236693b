"""The guide on adding a vendor is true: followed to the letter in a copy of the repository, its modules and tests work.

What the reader would do is done here: each Python block goes into the file that its first line names, the commands
are run as they stand, and the event that the page shows is the one that comes out.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Block, blocks

PAGE = ROOT / "docs" / "add-a-vendor.md"
COPIED = ("producers", "tokenweir", "streams", "sinks", "dashboards", "tests")


@pytest.fixture(scope="module")
def page() -> list[Block]:
    return blocks(PAGE)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, page: list[Block]) -> Path:
    """A copy of the repository with what the reader has written."""
    copy = tmp_path_factory.mktemp("repository")
    for name in COPIED:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for block in page:
        if block.language == "python":
            first = block.text.splitlines()[0]
            assert first.startswith("# "), f"line {block.line}: names no file"
            written = copy / first.removeprefix("# ")
            assert not written.exists(), f"{written.name} is there already"
            written.write_text(block.text + "\n", encoding="utf-8")
    return copy


def ran(repository: Path, *words: str, stdin: str = "") -> str:
    environment = {**os.environ, "PYTHONPATH": str(repository), "COLUMNS": "200"}
    done = subprocess.run(
        words,
        cwd=repository,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


def command(page: list[Block], beginning: str) -> str:
    lines = [line for block in page if block.language == "sh" for line in block.text.splitlines()]
    (found,) = [line for line in lines if line.startswith(beginning)]
    return found


@pytest.mark.timeout(300)
def test_its_tests_pass(repository: Path, page: list[Block]) -> None:
    _, *words = shlex.split(command(page, ".venv/bin/python -m pytest"))
    assert " passed" in ran(repository, sys.executable, *words, "tests/vendors/test_bravo.py")


def test_its_code_is_as_the_repository_wants_it(repository: Path, page: list[Block]) -> None:
    assert command(page, ".venv/bin/python -m ruff")
    written = [
        f"{folder}{name}.py"
        for name in ("acme", "bravo")
        for folder in ("producers/vendors/", "tests/vendors/test_")
    ]
    ran(repository, sys.executable, "-m", "ruff", "check", *written)


def test_its_event_is_the_one_that_it_shows(repository: Path, page: list[Block]) -> None:
    answer, shown = (json.loads(block.text) for block in page if block.language == "json")
    echo, _, parse = command(page, "echo ").partition(" | ")
    assert parse == "weir parse --vendor acme"
    program = [sys.executable, "-c", "from tokenweir.cli import main; main()", *parse.split()[1:]]
    event = json.loads(ran(repository, *program, stdin=shlex.split(echo)[1]))
    assert {name: event[name] for name in shown} == shown
    assert set(event) - set(shown) == {"id", "source", "time"}
    whole = json.loads(ran(repository, *program, stdin=json.dumps(answer)))
    assert (whole["id"], whole["units"]) == ("acme:a-1", {"lookups": 2})
    assert "tags" not in whole

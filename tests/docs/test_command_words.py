"""The checks of words refuse what does not exist; a check that lets everything pass would hold no page to anything."""

import shlex
from pathlib import Path

import pytest

from tests.docs.command_words import check_words
from tests.docs.page_shell import PageShell
from tests.docs.pages import Block, commands


@pytest.mark.parametrize(
    "command",
    [
        "weir foo",
        "weir spend --by team --unknown",
        "weir worker --role cook",
        "weir topics drop",
        "weir up --port 70000",
        "make everything",
        "docker compose destroy",
        "docker compose logs meter sinc",
        "docker compose up --scale metre=4",
        "docker compose exec sink weir spend --until",
        "python -m tests.kafka.nothing",
        ".venv/bin/python -m tests.kafka.apache --colour red",
        "cp deploy/.env.sample .env",
        "rm -rf build",
    ],
)
def test_what_does_not_exist_is_refused(command: str) -> None:
    with pytest.raises(AssertionError):
        check_words(shlex.split(command))


@pytest.mark.parametrize(
    "command",
    [
        "weir spend --by team,model --since 7d",
        "weir worker --role meter",
        "weir topics create",
        "make test",
        "docker compose up --detach --scale meter=4 --scale sink=2",
        "python -m tests.kafka.apache --port 9192",
        "cp deploy/.env.example .env",
    ],
)
def test_what_exists_is_taken(command: str) -> None:
    check_words(shlex.split(command))


def test_a_command_that_nobody_knows_fails_its_page(tmp_path: Path) -> None:
    with PageShell(tmp_path, tmp_path) as shell, pytest.raises(AssertionError, match="unknown command"):
        shell.run_block(Block("sh", "frobnicate --all", 1))


def test_commands_are_cut_at_the_ends_of_lines_that_end_them() -> None:
    text = "# a comment, the reader's\nweir up  # goes on\nweir ingest a \\\n  --set team=x\n\ncurl -d '\n{}' http://x/"
    found = [(command.text, command.line) for command in commands(Block("sh", text, 10))]
    assert found == [
        ("weir up  # goes on", 11),
        ("weir ingest a \\\n  --set team=x", 12),
        ("curl -d '\n{}' http://x/", 15),
    ]

"""`weir models`: what it prints, and with which status it ends."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tokenweir.cli.root import run

DAY = ("--on", "2026-11-25")


def asked(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert run(["models", *words]) == status
    out, err = capsys.readouterr()
    return err if status else out


def rows(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(asked(capsys, *words, "--json"))
    return found


def test_what_replaces_a_model_by_when_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    line = asked(capsys, "--replaces", "gpt-5", "--vendor", "openai", *DAY)
    price = r"\(input \$[\d.]+, output \$[\d.]+ a million tokens\)"
    assert re.fullmatch(
        rf"openai gpt-5 {price} retires on 2026-12-11, in 16 days; use gpt-5\.6-sol {price} instead\.\n", line
    )


@pytest.mark.parametrize(
    ("day", "says"),
    [
        ("2026-12-10", "retires on 2026-12-11, in 1 day;"),
        ("2026-12-11", "retires today, 2026-12-11;"),
        ("2026-12-12", "retired on 2026-12-11, 1 day ago;"),
    ],
)
def test_days_are_counted_from_the_day_asked_for(
    capsys: pytest.CaptureFixture[str], day: str, says: str
) -> None:
    assert says in asked(capsys, "--replaces", "openai/gpt-5", "--on", day)


def test_a_model_without_an_end_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    line = asked(capsys, "--replaces", "claude-sonnet-5", "--vendor", "anthropic", *DAY)
    assert line.endswith(
        "is active and retires on 2027-06-30 at the earliest; no source names a successor.\n"
    )


def test_replacements_for_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = rows(capsys, "--replaces", "claude-sonnet-4-5", "--vendor", "anthropic", *DAY)
    assert (found["model"], found["days_left"]) == ("claude-sonnet-4-5-20250929", 5)
    (successor,) = found["successors"]
    assert (successor["model"], successor["state"]) == ("claude-sonnet-5-5", "active")
    assert successor["list_price"]["currency"] == "USD"


def test_a_model_is_shown_with_everything_and_its_sources(capsys: pytest.CaptureFixture[str]) -> None:
    (shown,) = rows(capsys, "gpt-5-2025-08-07", "--vendor", "openai", *DAY)
    assert shown["found_by"] == "alias"
    assert (shown["state"], shown["context_tokens"], shown["retires_on"]) == (
        "deprecated",
        400_000,
        "2026-12-11",
    )
    assert shown["sources"]["retires_on"]["page"].startswith("https://")
    text = asked(capsys, "gpt-5", "--vendor", "openai", *DAY)
    assert "context_tokens       400,000" in text
    assert "https://developers.openai.com/api/docs/deprecations, seen on 2026-07-30" in text


def test_a_list_is_filtered_by_each_condition(capsys: pytest.CaptureFixture[str]) -> None:
    going = rows(capsys, "--vendor", "openai", "--retiring-before", "2027-01-01", *DAY)
    days = [row["retires_on"] for row in going]
    assert days == sorted(days)
    assert days[0] >= "2026-11-25"
    assert days[-1] < "2027-01-01"
    assert "gpt-5" in {row["model"] for row in going}
    retired = rows(capsys, "gpt-4*", "--state", "retired", *DAY)
    assert retired
    assert {row["state"] for row in retired} == {"retired"}
    assert all(row["model"].startswith("gpt-4") for row in retired)
    family = rows(capsys, "claude-sonnet", "--vendor", "anthropic", *DAY)
    assert {row["family"] for row in family} == {"claude-sonnet"}
    assert asked(capsys, "--vendor", "meta", "--state", "retired") == "No such models.\n"


def test_the_catalog_can_be_asked_for_what_it_knew_before(capsys: pytest.CaptureFixture[str]) -> None:
    assert rows(capsys, "--vendor", "openai", "--known-at", "2020-01-01") == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("gpt-5o",), "The nearest names are gpt-5 (azure), gpt-5 (openai)"),
        (("--replaces", "clade-opus-5"), "claude-opus-5 (anthropic)"),
        (("xqzzt",), "`weir models` lists all of them"),
        (("--vendor", "opnai"), "the catalog has no vendor opnai. The vendors are alibaba,"),
        (("gpt-5", "--replaces", "gpt-5"), "--replaces asks about one model"),
        (("--on", "soon"), "'soon' is not a time"),
        (("--state", "gone"), "Invalid value for '--state'"),
        (("--replaces", "mistral-large-latest", "--on", "2026-11-01"), "on 2026-11-01 is not known"),
    ],
)
def test_a_wrong_call_says_what_to_do_and_ends_with_2(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    assert says in asked(capsys, *words, status=2)


def test_a_file_with_a_mistake_ends_with_2_and_its_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        'vendor = "acme"\nrecorded_at = 2026-11-01\n\n[[model]]\nmodel = "house"\nsource = "us"\n',
        encoding="utf-8",
    )
    error = asked(capsys, "--catalog", str(path), status=2)
    assert error.startswith("weir: own.toml, line 6, row 1: there is no source named us. Add a [[source]]")


def test_one_question_reads_one_vendor() -> None:
    """What keeps the start short: the files of the other vendors are not read."""
    program = (
        "from tokenweir.catalog import catalog\n"
        "read = []\n"
        "kept = catalog.read_catalog\n"
        "catalog.read_catalog = lambda text, name: read.append(name) or kept(text, name)\n"
        "assert catalog.Catalog.default().model('deepseek', 'deepseek-chat')\n"
        "print(read)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert found.stdout == "['deepseek.toml']\n"

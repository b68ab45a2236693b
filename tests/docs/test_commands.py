"""Every command of the documentation does what the page has it do: each page is run from top to bottom."""

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from _pytest.mark.structures import ParameterSet

from tests.docs.page_shell import PageShell, programs_folder
from tests.docs.pages import PAGES, ROOT, blocks, page_name
from tests.docs.samples import TRACES, write_samples
from tests.end_to_end.commands import wait_for, weir

_RUNNABLE = ("sh", "python", "sql")
_KNOWN_LANGUAGES = (*_RUNNABLE, "", "text", "json", "toml")
_COMMAND_BEGINNINGS = ("weir ", "make ", "curl ", "docker ", "pip ", "python ", "$ ")


def _runnable_pages() -> list[ParameterSet]:
    found = []
    for page in PAGES:
        if any(block.language in _RUNNABLE for block in blocks(page)):
            needs_traces = any(name in page.read_text(encoding="utf-8") for name in TRACES)
            found.append(
                pytest.param(
                    page, id=page_name(page), marks=[pytest.mark.shared_data] if needs_traces else []
                )
            )
    return found


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a small fleet, for pages that ask of what there is."""
    folder = tmp_path_factory.mktemp("two-days")
    weir("demo", "--no-wait", "--days", "2", "--calls-scale", "0.05", "--data-dir", "demo", cwd=folder)
    return folder / "demo"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", _runnable_pages())
def test_a_page_runs_from_top_to_bottom(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    needs_traces = request.node.get_closest_marker("shared_data") is not None
    traces = request.getfixturevalue("shared_data") / "traces" if needs_traces else None
    write_samples(folder, page.read_text(encoding="utf-8"), traces)
    if page_name(page) in _SETTINGS:
        (folder / "tokenweir.toml").write_text(_SETTINGS[page_name(page)], encoding="utf-8")
    with PageShell(folder, programs_folder(tmp_path / "bin")) as shell:
        if any(block.language == "sql" for block in blocks(page)):
            shutil.copytree(request.getfixturevalue("two_days"), folder / ".tokenweir", symlinks=True)
        for block in blocks(page):
            try:
                shell.run_block(block)
            except AssertionError as error:
                raise AssertionError(f"{page_name(page)}:{block.line}: {error}") from error
        for data_dir in shell.data_dirs:
            refused = json.loads(shell.weir("rejected", "--json", "--data-dir", str(data_dir)))
            assert refused == [], f"{page_name(page)} sends what is refused"
        if check := _OUTCOMES.get(page_name(page)):
            check(shell)


def _a_call_that_is_reported_twice_counts_once(shell: PageShell) -> None:
    """The README's HTTP request and its emitter report one call."""
    shell.stop()
    rows = json.loads(shell.weir("spend", "--by", "team", "--json", "--data-dir", "ledger"))
    assert [(row["team"], row["calls"], row["input_tokens"]) for row in rows] == [("shop", 1, 1200)]


def _the_traces_come_out_as_stated(shell: PageShell) -> None:
    """The table of docs/traces.md holds the ledger's figures, in the order of its commands."""
    table = re.findall(
        r"^\| [^|]+ \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d.]+) \|$",
        (ROOT / "docs" / "traces.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    stated = [tuple(cell.replace(",", "") for cell in row) for row in table]
    rows = {row["team"]: row for row in json.loads(shell.weir("spend", "--by", "team", "--json"))}
    names = ("calls", "input_tokens", "cache_read_tokens", "output_tokens", "cost")
    found = [tuple(str(rows[team][name]) for name in names) for team in ("code", "conversation", "kimi")]
    assert stated == found


def _each_query_has_an_answer(shell: PageShell) -> None:
    queries = [block for block in blocks(ROOT / "docs" / "sql.md") if block.language == "sql"]
    assert len(queries) == 13
    # A run fills these tables while it goes on.
    wait_for(
        "the tables of budgets, prices and models are filled",
        lambda: shell.ask("SELECT 1 FROM models LIMIT 1"),
    )
    for query in queries:
        assert shell.ask(query.text), f"docs/sql.md:{query.line} has no row"


def _the_columns_are_those_of_the_views(shell: PageShell) -> None:
    """The table of docs/sql.md names every column of every view, and in which views it is."""
    text = (ROOT / "docs" / "sql.md").read_text(encoding="utf-8").split("## Columns")[1].split("\n\n")[1]
    stated: dict[str, set[str]] = {"all": set(), "by period": set(), "usage": set()}
    for line in text.splitlines()[2:]:
        _, names, where, meaning, _ = line.split("|")
        stated[where.strip(" `")] |= set(re.findall(r"`(\w+)`", names))
        if "cache_write_1h_tokens" in meaning:
            stated["all"].add("cache_write_1h_tokens")
    for view, time in (
        ("usage", "time"),
        ("usage_by_minute", "minute"),
        ("usage_by_hour", "hour"),
        ("usage_by_day", "day"),
    ):
        own = stated["usage"] if view == "usage" else stated["by period"]
        found = {row["name"] for row in shell.ask(f"DESCRIBE {view}")}
        assert found == stated["all"] | own | {time}, view


def _check_sql(shell: PageShell) -> None:
    _each_query_has_an_answer(shell)
    _the_columns_are_those_of_the_views(shell)


def _the_answer_is_the_one_shown(shell: PageShell) -> None:
    """docs/whatif.md shows what its command prints."""
    page = blocks(ROOT / "docs" / "whatif.md")
    (shown,) = (block for block in page if block.language == "text")
    command = next(block for block in page if "--from openai/gpt-4.1" in block.text)
    words = shlex.split(command.text.replace("\\\n", " "))
    assert shell.weir(*words[1:]).decode().strip() == shown.text


_SETTINGS: Final = {
    "docs/sql.md": '[detection.budgets.month]\namount_usd = 5000\ntime_zone = "Europe/Berlin"\n',
}
"""What a page's reader has set, where its commands tell of it."""

_OUTCOMES: Final[dict[str, Callable[[PageShell], None]]] = {
    "README.md": _a_call_that_is_reported_twice_counts_once,
    "docs/traces.md": _the_traces_come_out_as_stated,
    "docs/sql.md": _check_sql,
    "docs/whatif.md": _the_answer_is_the_one_shown,
}
"""What must be true at the end of a page, besides that its commands did not fail."""


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_commands_are_marked_as_such(page: Path) -> None:
    """A block without a language is not run, so it may hold no command."""
    for block in blocks(page):
        assert block.language in _KNOWN_LANGUAGES, f"line {block.line}: {block.language}"
        if block.language == "json":
            json.loads(block.text)
        if block.language in ("", "text"):
            for line in block.text.split("\n"):
                is_synopsis = "…" in line
                assert is_synopsis or not line.startswith(_COMMAND_BEGINNINGS), (
                    f"line {block.line}: {line!r} is not run"
                )

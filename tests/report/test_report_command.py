"""`weir report` called wrongly, before it asks the ledger anything."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from tokenweir.cli.report import report
from tokenweir.errors import WrongCall


def refused(*arguments: str | Path) -> str:
    done = CliRunner().invoke(report, [str(each) for each in arguments])
    assert isinstance(done.exception, WrongCall), done.output
    return done.exception.message


def test_two_periods_or_half_of_one(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    assert "two periods" in refused("--period", "7d", "--since", "3d", "-o", file)
    assert "--until needs --since" in refused("--until", "3d", "-o", file)
    assert "'soon' is no period" in refused("--period", "soon", "-o", file)
    assert not file.exists()


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text("signed")
    assert "is there already" in refused("--period", "7d", "-o", file, "--data-dir", tmp_path / "none")
    assert "there is no ledger" in refused(
        "--period", "7d", "-o", file, "--force", "--data-dir", tmp_path / "none"
    )
    assert file.read_text() == "signed"
    assert "there is no folder" in refused("--period", "7d", "-o", tmp_path / "away" / "report.html")


def test_where_to_must_be_said() -> None:
    done = CliRunner().invoke(report, ["--period", "7d"])
    assert done.exit_code == 2
    assert "--output" in done.output


@pytest.mark.parametrize("wrong", ["--by", "--then-by"])
def test_groups_are_known(wrong: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        report, ["--period", "7d", wrong, "colour", "-o", str(tmp_path / "report.html")]
    )
    assert done.exit_code == 2

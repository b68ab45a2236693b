"""`weir detect`: a line for every row, in order, of any CSV; what cannot be read costs that row alone."""

import csv
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.detectors.made_series import planted, series, times
from tokenweir.cli.detect import detect
from tokenweir.cli.root import run

AT = 700


def table(path: Path, columns: dict[str, list[Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def asked(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(detect, list(arguments), input=given)


def answers(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.output.splitlines()]


@pytest.fixture
def values() -> list[float]:
    return planted(series("daily", 2, 900), "spike", AT, 3)


def written(second: float, form: str) -> str:
    moment = datetime.fromtimestamp(second, UTC)
    return {
        "iso": moment.isoformat(),
        "plain": f"{moment:%Y-%m-%d %H:%M:%S}",
        "seconds": str(int(second)),
        "milliseconds": str(int(second * 1000)),
        "nanoseconds": str(int(second) * 10**9),
    }[form]


@pytest.mark.parametrize("form", ["iso", "plain", "seconds", "milliseconds", "nanoseconds"])
def test_times_of_any_form_give_the_same_answer(tmp_path: Path, values: list[float], form: str) -> None:
    stamps = [written(second, form) for second in times(900)]
    file = table(tmp_path / "cost.csv", {"when": stamps, "cost": values})
    found = answers(asked(str(file), "--time", "when", "--value", "cost"))
    assert [line["row"] for line in found] == list(range(900))
    assert [line["time"] for line in found] == stamps
    assert next(line["row"] for line in found if line["flag"]) == AT
    assert found[AT]["direction"] == "up"
    assert found[AT]["channel"] == "jump"
    assert found[AT]["expected"] == pytest.approx(values[AT - 288], rel=0.5)
    assert all(0 <= line["score"] <= 1 and line["flag"] == (line["score"] >= 0.5) for line in found)


def test_what_comes_later_changes_nothing(tmp_path: Path, values: list[float]) -> None:
    stamps = [written(second, "iso") for second in times(900)]
    whole = answers(
        asked(str(table(tmp_path / "a.csv", {"t": stamps, "v": values})), "--time", "t", "--value", "v")
    )
    cut = table(tmp_path / "b.csv", {"t": stamps[:500], "v": values[:500]})
    assert answers(asked(str(cut), "--time", "t", "--value", "v")) == whole[:500]


def test_series_of_one_file_are_judged_apart(tmp_path: Path, values: list[float]) -> None:
    other = series("office", 2, 900)
    stamps = [written(second, "iso") for second in times(900) for _ in range(2)]
    teams = ["search", "chat"] * 900
    mixed = [value for pair in zip(values, other, strict=True) for value in pair]
    file = table(tmp_path / "mixed.csv", {"t": stamps, "team": teams, "v": mixed})
    both = answers(asked(str(file), "--time", "t", "--value", "v", "--by", "team"))
    alone = answers(
        asked(
            str(table(tmp_path / "one.csv", {"t": stamps[::2], "v": values})), "--time", "t", "--value", "v"
        )
    )
    mine = [line for line in both if line["team"] == "search"]
    assert [line["score"] for line in mine] == [line["score"] for line in alone]


def test_numbers_of_rows_are_times_too(tmp_path: Path) -> None:
    values = planted(series("steady", 3, 600), "shift", 400, 60)
    file = table(tmp_path / "rows.csv", {"n": list(range(1, 601)), "v": values})
    found = answers(asked(str(file), "--time", "n", "--value", "v"))
    assert any(line["flag"] for line in found[400:430])
    assert not any(line["flag"] for line in found[:400])


def test_a_row_that_cannot_be_read_is_said_in_its_place(tmp_path: Path) -> None:
    stamps: list[Any] = [written(second, "iso") for second in times(60)]
    values: list[Any] = series("steady", 1, 60)
    values[40], values[41], values[42], stamps[43] = "", "NaN", "seven", "yesterday"
    found = answers(
        asked(str(table(tmp_path / "b.csv", {"t": stamps, "v": values})), "--time", "t", "--value", "v")
    )
    assert len(found) == 60
    assert [line["row"] for line in found if "error" in line] == [40, 41, 42, 43]
    assert all(line["score"] == 0 and not line["flag"] for line in found[40:44])


def test_standard_input_and_compressed_files(tmp_path: Path) -> None:
    text = "t,v\n" + "".join(f"{second},1\n" for second in times(40))
    packed = tmp_path / "v.csv.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    piped = answers(asked("-", "--time", "t", "--value", "v", given=text))
    assert piped == answers(asked(str(packed), "--time", "t", "--value", "v"))


@pytest.mark.parametrize("missing", ["time", "value", "by"])
def test_a_column_that_is_not_there_is_named(
    tmp_path: Path, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = table(tmp_path / "v.csv", {"t": [1], "v": [1]})
    options = {"time": "t", "value": "v", "by": "t"} | {missing: "cost"}
    arguments = ["detect", str(file)]
    for name, column in options.items():
        arguments += [f"--{name}", column]
    assert run(arguments) == 2
    said = capsys.readouterr().err
    assert "no column 'cost'" in said
    assert "t, v" in said


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["detect", str(tmp_path / "none.csv"), "--time", "t", "--value", "v"]) == 2
    assert "none.csv cannot be read" in capsys.readouterr().err

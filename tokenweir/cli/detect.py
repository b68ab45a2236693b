"""`weir detect`: the spike detector over any CSV, outside the pipeline, so that it can be judged.

A line out for every row in, in order and at once: what is said of a row rests on that row and those before it.
"""

import csv
import io
import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from producers.files.lines import decompressed
from producers.files.values import Unreadable, epoch_time, formatted_time, iso_time
from streams.detectors.series_judge import SeriesJudge, Verdict
from tokenweir.errors import WrongCall

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS_ABOVE: Final = ((1e16, "ns"), (1e14, "us"), (1e11, "ms"))
"""A bare number above this counts so: no time in seconds of this millennium is as large."""

_START_BYTES: Final = 8


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--time", "time_column", required=True, help="The column of times.")
@click.option("--value", "value_column", required=True, help="The column of values.")
@click.option("--by", default="", help="Columns that tell series apart, comma-separated.")
@click.option("--time-format", help="How times are written, in the words of strptime [default: as found].")
def detect(file: Path, time_column: str, value_column: str, by: str, time_format: str | None) -> None:
    """Judge every value of a CSV by those before it: one JSON object a row, in order.

    `score` is 0 for nothing to see and rises to 1; `flag` is true from 0.5 on, which happens once in some ten
    thousand rows where nothing happens. The first 30 values of a series are learnt from and not judged. Times are ISO
    8601, or numbers: Unix time in seconds or smaller units, else numbers of rows, without days and weeks. Nothing
    is set for a file and nothing looks ahead. FILE may be - for standard input, and compressed.

    \b
    Examples:
      weir detect spend.csv --time day --value cost
      weir detect usage.csv --time timestamp --value cost --by team,model | jq 'select(.flag)'
    """
    names = [name.strip() for name in by.split(",") if name.strip()]
    read_time = _reader_of(time_format)
    judges: dict[tuple[str, ...], SeriesJudge] = {}
    with _rows(file) as rows:
        columns = rows.fieldnames or []
        for name in (time_column, value_column, *names):
            if name not in columns:
                raise WrongCall(
                    f"{file} has no column {name!r}", hint=f"Its columns are: {', '.join(columns) or 'none'}"
                )
        for number, row in enumerate(rows):
            series = tuple(str(row[name]) for name in names)
            said: dict[str, Any] = {"row": number, "time": row[time_column]}
            said |= dict(zip(names, series, strict=True))
            try:
                value = _number(row[value_column])
                at_seconds = read_time(row[time_column])
            except Unreadable as problem:
                said |= {"value": None, "score": 0.0, "flag": False, "error": str(problem)}
            else:
                judge = judges.setdefault(series, SeriesJudge())
                said |= {"value": value, **_shown(judge.judge(at_seconds, value))}
            click.echo(json.dumps(said, ensure_ascii=False))


def _shown(verdict: Verdict) -> dict[str, Any]:
    return {
        "score": verdict.score,
        "flag": verdict.flag,
        "expected": verdict.expected,
        "direction": ("down", "", "up")[verdict.direction + 1],
        "channel": verdict.channel,
    }


@contextmanager
def _rows(file: Path) -> Iterator["csv.DictReader[str]"]:
    """The rows of a CSV. Raises WrongCall where it cannot be read."""
    if str(file) == "-":
        yield csv.DictReader(sys.stdin)
        return
    try:
        raw = file.open("rb")
    except OSError as error:
        raise WrongCall(f"{file} cannot be read: {error.strerror}", hint="Name a CSV file") from error
    with raw:
        start = raw.read(_START_BYTES)
        raw.seek(0)
        lines = io.TextIOWrapper(decompressed(raw, start), encoding="utf-8-sig", errors="replace", newline="")
        yield csv.DictReader(lines)


def _number(written: str | None) -> float:
    try:
        value = float((written or "").strip())
    except ValueError:
        raise Unreadable("wrong_type", "the value holds no number") from None
    if not math.isfinite(value):
        raise Unreadable("out_of_range", "the value is no finite number")
    return value


def _seconds(moment: datetime) -> float:
    return (moment - _EPOCH).total_seconds()


def _reader_of(time_format: str | None) -> Callable[[str | None], float]:
    """From what stands in the time column to Unix seconds, or to the number of a row."""
    formatted = formatted_time(time_format) if time_format is not None else None

    def read(written: str | None) -> float:
        if not written:
            raise Unreadable("implausible_time", "the time is empty")
        if formatted is not None:
            return _seconds(formatted(written))
        try:
            number = float(written)
        except ValueError:
            return _seconds(iso_time(written))
        if not math.isfinite(number):
            raise Unreadable("implausible_time", "the time is no finite number")
        for least, unit in _UNITS_ABOVE:
            if abs(number) >= least:
                return _seconds(epoch_time(unit)(written))
        return number

    return read

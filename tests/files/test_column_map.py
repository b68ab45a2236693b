"""The column map's language: what it takes, and what it says to a mistake."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.files import ColumnMap, ReadOptions, read_files, values
from tokenweir.errors import WrongCall
from tokenweir.usage import Rejection, UsageEvent

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SETS = ("vendor=openai", "model=gpt-4o")
MAPS = ("time=when", "input_tokens=in", "output_tokens=out")


def read_one(path: Path, text: str, maps: tuple[str, ...] = MAPS, sets: tuple[str, ...] = SETS) -> UsageEvent:
    path.write_text(text, encoding="utf-8")
    (piece,) = read_files([path], ReadOptions(now=NOW, column_map=ColumnMap.parse(maps, sets)))
    assert isinstance(piece, UsageEvent), piece
    return piece


@pytest.mark.parametrize(
    ("written", "unit", "expected"),
    [
        ("2023-11-16 18:17:03.9799600", "", datetime(2023, 11, 16, 18, 17, 3, 979960, UTC)),
        ("2023-11-16T18:17:03.123456789Z", "", datetime(2023, 11, 16, 18, 17, 3, 123456, UTC)),
        ("2023-11-16T18:17:03+02:00", "", datetime(2023, 11, 16, 16, 17, 3, tzinfo=UTC)),
        ("2023-11-16 18:17:03 UTC", "", datetime(2023, 11, 16, 18, 17, 3, tzinfo=UTC)),
        ("2023-11-16", "", datetime(2023, 11, 16, tzinfo=UTC)),
        ("1700158623", ":s", datetime(2023, 11, 16, 18, 17, 3, tzinfo=UTC)),
        ("1700158623.9799600", ":s", datetime(2023, 11, 16, 18, 17, 3, 979960, UTC)),
        ("1700158623979", ":ms", datetime(2023, 11, 16, 18, 17, 3, 979000, UTC)),
        ("1700158623979960", ":us", datetime(2023, 11, 16, 18, 17, 3, 979960, UTC)),
        ("1700158623979960999", ":ns", datetime(2023, 11, 16, 18, 17, 3, 979960, UTC)),
        ("1500", ":ms@2024-06-01T00:00:00Z", datetime(2024, 6, 1, 0, 0, 1, 500000, UTC)),
        ("90", ":s@2024-06-01T02:00:00+02:00", datetime(2024, 6, 1, 0, 1, 30, tzinfo=UTC)),
        ("16/11/2023", ":%d/%m/%Y", datetime(2023, 11, 16, tzinfo=UTC)),
        (
            "16/11/2023 18:17:03.9799600",
            ":%d/%m/%Y %H:%M:%S.%f",
            datetime(2023, 11, 16, 18, 17, 3, 979960, UTC),
        ),
        ("16Nov23 18:17 +0100", ":%d%b%y %H:%M %z", datetime(2023, 11, 16, 17, 17, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_every_form(tmp_path: Path, written: str, unit: str, expected: datetime) -> None:
    maps = (f"time=when{unit}", *MAPS[1:])
    assert read_one(tmp_path / "a.csv", f"when,in,out\n{written},1,2\n", maps).time == expected


def test_a_json_number_is_a_time_too(tmp_path: Path) -> None:
    text = '{"when": 1700158623.25, "in": 1, "out": 2}\n'
    event = read_one(tmp_path / "a.jsonl", text, ("time=when:s", *MAPS[1:]))
    assert event.time == datetime(2023, 11, 16, 18, 17, 3, 250000, UTC)


@given(
    st.integers(1_580_000_000_000_000, 1_770_000_000_000_000),
    st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
)
def test_a_time_survives_each_unit(unix_microseconds: int, zone: timezone) -> None:
    moment = (values.EPOCH + timedelta(microseconds=unix_microseconds)).astimezone(zone)
    microseconds = (moment - values.EPOCH) // timedelta(microseconds=1)
    assert values.iso_time(moment.isoformat()) == moment
    assert values.epoch_time("us")(str(microseconds)) == moment
    assert values.epoch_time("ns")(microseconds * 1000 + 999) == moment
    assert values.epoch_time("s")(Decimal(microseconds).scaleb(-6)) == moment


@given(st.decimals(min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=12))
def test_money_is_exact_to_the_last_digit(amount: Decimal) -> None:
    assert values.amount(f" {amount:f} ") == amount


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("", 250.0), (":ms", 250.0), (":s", 250_000.0), (":us", 0.25), (":min", 15_000_000.0)],
)
def test_durations_have_units(tmp_path: Path, unit: str, expected: float) -> None:
    maps = (*MAPS, f"duration_ms=took{unit}")
    assert (
        read_one(tmp_path / "a.csv", "when,in,out,took\n2024-01-01,1,2,250\n", maps).duration_ms == expected
    )


def test_every_kind_of_field_finds_its_type(tmp_path: Path) -> None:
    text = (
        '{"at":"2024-01-01T00:00:00Z","who":{"team":"search","id":42},"u":{"in":100,"out":"7","hit":60.0},'
        '"cost":0.1000000000001,"cur":"EUR","ok":"ok","stream":true,"try":"2","a.b":"dotted","pics":3,"e":null}\n'
    )
    maps = (
        "time=at", "team=who.team", "user=who.id", "input_tokens=u.in", "output_tokens=u.out",
        "cache_read_tokens=u.hit", "reported_cost=cost", "reported_currency=cur", "status=ok", "streaming=stream",
        "attempt=try", "tags.place=a.b", "units.images=pics", "session=e",
    )  # fmt: skip
    event = read_one(tmp_path / "a.jsonl", text, maps, (*SETS, "tags.env=prod", "source=mine"))
    assert (event.team, event.user, event.input_tokens, event.output_tokens) == ("search", "42", 100, 7)
    assert (event.cache_read_tokens, event.reported_cost) == (60, Decimal("0.1000000000001"))
    assert (event.reported_currency, event.streaming, event.attempt) == ("EUR", True, 2)
    assert (event.tags, event.units) == ({"env": "prod", "place": "dotted"}, {"images": Decimal(3)})
    assert (event.source, event.session) == ("mine", "")


def test_set_wins_over_map(tmp_path: Path) -> None:
    event = read_one(
        tmp_path / "a.csv",
        "when,in,out,m\n2024-01-01,1,2,other\n",
        (*MAPS, "model=m"),
        ("vendor=x", "model=gpt-4o"),
    )
    assert event.model == "gpt-4o"


def test_an_id_column_names_the_call(tmp_path: Path) -> None:
    text = "when,in,out,key\n2024-01-01,1,2,abc\n"
    assert read_one(tmp_path / "a.csv", text, (*MAPS, "id=key")).id == "file:a.csv:abc"
    assert read_one(tmp_path / "a.csv", text, (*MAPS, "response_id=key")).id == "openai:abc"
    whole = text.replace("abc", "openai:abc")
    assert read_one(tmp_path / "a.csv", whole, (*MAPS, "id=key")).id == "openai:abc"


def test_columns_that_bear_a_fields_name_need_no_map(tmp_path: Path) -> None:
    text = "time,vendor,model,input_tokens,output_tokens,team,tags.env,noise\n2024-01-01,a,b,1,2,t,prod,x\n"
    event = read_one(tmp_path / "a.csv", text, (), ())
    assert (event.vendor, event.team, event.output_tokens, event.tags) == ("a", "t", 2, {"env": "prod"})


@pytest.mark.parametrize(
    ("maps", "sets", "says"),
    [
        (("input_token=in",), SETS, "Did you mean input_tokens"),
        (("input_tokens",), SETS, "not of the form FIELD=COLUMN"),
        (("time=when:minutes", *MAPS[1:]), SETS, "no unit of time 'minutes'"),
        (("time=when:ms@noon", *MAPS[1:]), SETS, "the start 'noon' is no time"),
        (("time=when@2024-06-01", *MAPS[1:]), SETS, "a start needs a unit"),
        (("time=when:%Q", *MAPS[1:]), SETS, "the time form '%Q' cannot be read"),
        ((*MAPS, "duration_ms=took:hours"), SETS, "no unit of time 'hours'"),
        ((*MAPS, "input_tokens=other"), SETS, "mapped twice"),
        ((*MAPS, "tags=all"), SETS, "tags.KEY"),
        ((*MAPS, "source=host"), SETS, "no field 'source'"),
        (MAPS, ("vendor",), "not of the form FIELD=VALUE"),
        (MAPS, (*SETS, "colour=red"), "no field 'colour'"),
        (MAPS, (*SETS, "id=1"), "no field 'id'"),
        (MAPS, (*SETS, "attempt=many"), "holds no whole number"),
        (MAPS, (*SETS, "attempt=0"), "attempt"),
        (MAPS, (*SETS, "status=fine"), "status"),
        (MAPS, (*SETS, "team=" + "x" * 300), "team"),
        (MAPS, (*SETS, "time=2001-01-01"), "time"),
    ],
)
def test_a_wrong_map_is_a_wrong_call(maps: tuple[str, ...], sets: tuple[str, ...], says: str) -> None:
    with pytest.raises(WrongCall) as caught:
        ColumnMap.parse(maps, sets)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("maps", "sets", "says"),
    [
        (MAPS, ("vendor=openai",), "says nothing of model"),
        (MAPS, ("model=gpt-4o",), "says nothing of vendor"),
        (MAPS[1:], SETS, "says nothing of time"),
        (MAPS[:1], SETS, "names no usage"),
        (("time=When", *MAPS[1:]), SETS, "Did you mean when? Its columns are when, in, out, twice, twice, n"),
        (("time=when", "input_tokens=twice"), SETS, "has 2 columns 'twice'"),
        (("time=n", *MAPS[1:]), SETS, "Perhaps --map time=n:ms"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_map_that_does_not_fit_the_file_is_a_wrong_call_before_any_row(
    tmp_path: Path, suffix: str, maps: tuple[str, ...], sets: tuple[str, ...], says: str
) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".csv":
        path.write_text("when,in,out,twice,twice,n\n2024-01-01,1,2,3,4,1700158623979\n")
    else:
        path.write_text('{"when":"2024-01-01","in":1,"out":2,"n":1700158623979}\n')
        if "twice" in says:
            says = says.replace("twice, twice, ", "").replace(
                "has 2 columns 'twice'", "has no column 'twice'"
            )
    with pytest.raises(WrongCall) as caught:
        read_files([path], ReadOptions(now=NOW, column_map=ColumnMap.parse(maps, sets)))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("field", "written", "reason"),
    [
        ("in", "many", "wrong_type"),
        ("in", "1.5", "wrong_type"),
        ("in", "-3", "out_of_range"),
        ("in", "1_000", "wrong_type"),
        ("in", "٣", "wrong_type"),
        ("in", "9" * 400, "wrong_type"),
        ("in", "9" * 18, "out_of_range"),
        ("cost", "1e999999999", "out_of_range"),
        ("cost", "0." + "1" * 100, "out_of_range"),
        ("cost", "nan", "out_of_range"),
        ("cost", "-1", "out_of_range"),
        ("took", "1e999999999", "out_of_range"),
        ("when", "yesterday", "implausible_time"),
        ("when", "1700158623", "implausible_time"),
        ("when", "1970-01-01", "implausible_time"),
        ("when", "2099-01-01", "implausible_time"),
        ("when", "", "missing_field"),
        ("who", "a\x00b", "control_character"),
        ("who", "x" * 300, "out_of_range"),
    ],
)
def test_a_row_that_does_not_fit_costs_only_itself(
    tmp_path: Path, field: str, written: str, reason: str
) -> None:
    good = {"when": "2024-01-01", "in": "1", "who": "ann", "cost": "0.1", "took": "7"}
    lines = [
        "when,in,who,cost,took",
        *(",".join(row.values()) for row in (good, good | {field: written}, good)),
    ]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    maps = ("time=when", "input_tokens=in", "user=who", "reported_cost=cost", "duration_ms=took:s")
    column_map = ColumnMap.parse(maps, SETS)
    pieces: list[Any] = list(read_files([path], ReadOptions(now=NOW, column_map=column_map)))
    assert [type(piece) for piece in pieces] == [UsageEvent, Rejection, UsageEvent]
    assert (pieces[1].reason, pieces[1].stage, pieces[1].line) == (reason, "collector", 2)
    if field == "when" and written == "yesterday":
        assert "yesterday" not in pieces[1].detail


@pytest.mark.parametrize(
    "number", ["1e999999999", "-1e999999999", "1e-999999999", "9" * 4000, "0." + "1" * 4000]
)
@pytest.mark.parametrize("name", ["when", "in", "cost", "took"])
def test_numbers_made_to_be_expensive_cost_only_their_row(tmp_path: Path, name: str, number: str) -> None:
    good = {"when": "1700158623", "in": "1", "cost": "0.1", "took": "7"}
    rows = [good, good | {name: number}, good]
    path = tmp_path / "a.jsonl"
    path.write_text(
        "".join("{" + ",".join(f'"{key}":{value}' for key, value in row.items()) + "}\n" for row in rows)
    )
    maps = ("time=when:s", "input_tokens=in", "reported_cost=cost", "duration_ms=took:s")
    column_map = ColumnMap.parse(maps, SETS)
    pieces = list(read_files([path], ReadOptions(now=NOW, column_map=column_map)))
    assert len(pieces) == 3
    assert isinstance(pieces[0], UsageEvent)
    assert isinstance(pieces[2], UsageEvent)

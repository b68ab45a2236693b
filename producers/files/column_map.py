"""The column map: which column of a CSV or JSON Lines file holds which field of UsageEvent.

    FIELD=COLUMN            input_tokens=ContextTokens      model=usage.model_name (a path into nested JSON)
    time=COLUMN             ISO 8601; without a zone it is UTC
    time=COLUMN:UNIT        a number since 1970: s, ms, us, ns
    time=COLUMN:UNIT@START  a number since START, e.g. time=offset_ms:ms@2024-06-01T00:00:00Z
    time=COLUMN:%d/%m/%Y    any form, in the words of strptime
    duration_ms=COLUMN:UNIT a duration in ns, us, ms (without a unit), s or min
    tags.KEY=COLUMN  units.KEY=COLUMN
    id=COLUMN               the row's own id, within the source
    response_id=COLUMN      the vendor's response id, on which other reporters of the same call agree

`--set FIELD=VALUE` gives every event the same value and wins over the map. All mistakes that can be seen without a
row are WrongCall at once.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, Final

from pydantic import ValidationError

from producers.files import values
from tokenweir.errors import WrongCall
from tokenweir.usage.event import UsageEvent
from tokenweir.usage.reading import rejection_of

RESPONSE_ID: Final = "response_id"
TIME_FIELD: Final = "time"
_DURATION_FIELDS: Final = ("duration_ms", "ttft_ms")
_GROUPS: Final = ("tags", "units")
_SOME_TIME: Final = datetime(2024, 1, 1, tzinfo=UTC)
_USAGE_FIELDS: Final = ("input_tokens", "output_tokens")
_UNIT = re.compile(r"(?P<column>.+):(?P<unit>[A-Za-zµ]+)(?:@(?P<start>.+))?")
_START = re.compile(r"(?P<column>.+?)@(?P<start>\d{4}-.+)")

MAPPABLE: Final = tuple(
    name for name in (*UsageEvent.model_fields, RESPONSE_ID) if name not in (*_GROUPS, "source")
)


def _converters() -> dict[str, values.Convert]:
    converters: dict[str, values.Convert] = {}
    for name, info in UsageEvent.model_fields.items():
        if name.endswith("_tokens") or info.annotation is int:
            converters[name] = values.whole
        elif info.annotation is bool:
            converters[name] = values.truth
        else:
            converters[name] = values.text
    converters |= dict.fromkeys(_DURATION_FIELDS, values.milliseconds("ms"))
    converters["reported_cost"] = values.amount
    converters[TIME_FIELD] = values.iso_time
    converters[RESPONSE_ID] = values.text
    return converters


_CONVERTERS: Final = _converters()


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One entry of the map. group and key: for `tags.KEY` and `units.KEY`, else empty."""

    name: str
    column: str
    convert: values.Convert
    group: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """A checked map. fixed: fields that every event gets, already of the types that UsageEvent takes."""

    columns: tuple[MappedColumn, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, maps: Iterable[str] = (), sets: Iterable[str] = ()) -> "ColumnMap":
        """The map that `--map` and `--set` describe. Raises WrongCall that names the entry at fault."""
        columns: dict[str, MappedColumn] = {}
        for entry in maps:
            column = _parse_map(entry)
            if column.name in columns:
                raise WrongCall(f"--map {entry}: {column.name} is mapped twice", hint="Map each field once")
            columns[column.name] = column
        fixed: dict[str, Any] = {}
        for entry in sets:
            _parse_set(entry, fixed)
        _check_fixed(fixed)
        kept = (column for column in columns.values() if not _is_fixed(column, fixed))
        return cls(tuple(kept), fixed)

    def require_whole(self) -> None:
        """Raises WrongCall where time, vendor, model or all usage is neither mapped nor set."""
        known = {column.name for column in self.columns} | set(self.fixed)
        for name in (TIME_FIELD, "vendor", "model"):
            if name not in known:
                way = f"--map {name}=COLUMN" + ("" if name == TIME_FIELD else f" or --set {name}=VALUE")
                raise WrongCall(f"the column map says nothing of {name}", hint=f"Add {way}")
        if not any(name in _USAGE_FIELDS or name.startswith("units") for name in known):
            raise WrongCall(
                "the column map names no usage",
                hint="Add --map input_tokens=COLUMN and --map output_tokens=COLUMN",
            )


def near_match(name: str, known: Iterable[str]) -> str:
    """`Did you mean X? ` where something known is close to `name`, else ""."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    near = get_close_matches(name.lower(), by_lower, 1, 0.6)
    return f"Did you mean {by_lower[near[0]]}? " if near else ""


def _parse_map(entry: str) -> MappedColumn:
    name, sign, column = entry.partition("=")
    name, column = name.strip(), column.strip()
    if not sign or not name or not column:
        raise WrongCall(
            f"--map {entry}: not of the form FIELD=COLUMN", hint="E.g. --map input_tokens=ContextTokens"
        )
    group, dot, key = name.partition(".")
    if dot and group in _GROUPS and key:
        convert = values.text if group == "tags" else values.amount
        return MappedColumn(name, column, convert, group, key)
    if name not in MAPPABLE:
        raise WrongCall(f"--map {entry}: no field {name!r}", hint=_field_hint(name))
    if name == TIME_FIELD:
        return _time_column(entry, column)
    if name in _DURATION_FIELDS and (unit := _UNIT.fullmatch(column)):
        if unit["unit"] not in values.MILLISECONDS_BY_UNIT or unit["start"]:
            raise WrongCall(
                f"--map {entry}: no unit of time {unit['unit']!r}",
                hint=f"Write {name}={unit['column']}:UNIT with one of {', '.join(values.MILLISECONDS_BY_UNIT)}",
            )
        return MappedColumn(name, unit["column"], values.milliseconds(unit["unit"]))
    return MappedColumn(name, column, _CONVERTERS[name])


def _time_column(entry: str, written: str) -> MappedColumn:
    column, sign, pattern = written.partition(":%")
    if sign:
        return MappedColumn(TIME_FIELD, column, values.formatted_time(f"%{pattern}"))
    if unit := _UNIT.fullmatch(written):
        if unit["unit"] not in values.TIME_UNITS:
            raise WrongCall(
                f"--map {entry}: no unit of time {unit['unit']!r}",
                hint=f"Write time={unit['column']}:UNIT with one of {', '.join(values.TIME_UNITS)}, or a form like "
                "time=COLUMN:%d/%m/%Y",
            )
        start = _start(entry, unit["start"]) if unit["start"] else values.EPOCH
        return MappedColumn(TIME_FIELD, unit["column"], values.epoch_time(unit["unit"], start))
    if start_only := _START.fullmatch(written):
        raise WrongCall(
            f"--map {entry}: a start needs a unit",
            hint=f"Write time={start_only['column']}:ms@{start_only['start']}",
        )
    return MappedColumn(TIME_FIELD, written, values.iso_time)


def _start(entry: str, written: str) -> datetime:
    try:
        return values.iso_time(written)
    except values.Unreadable:
        raise WrongCall(
            f"--map {entry}: the start {written!r} is no time",
            hint="E.g. time=offset_ms:ms@2024-06-01T00:00:00Z",
        ) from None


def _parse_set(entry: str, fixed: dict[str, Any]) -> None:
    name, sign, written = entry.partition("=")
    name = name.strip()
    if not sign or not name:
        raise WrongCall(f"--set {entry}: not of the form FIELD=VALUE", hint="E.g. --set vendor=openai")
    group, dot, key = name.partition(".")
    try:
        if dot and group in _GROUPS and key:
            convert = values.text if group == "tags" else values.amount
            fixed.setdefault(group, {})[key] = convert(written)
            return
        if name not in _CONVERTERS or name in (*_GROUPS, "id", RESPONSE_ID):
            raise WrongCall(
                f"--set {entry}: no field {name!r} that every event could share", hint=_field_hint(name)
            )
        fixed[name] = _CONVERTERS[name](written)
    except values.Unreadable as error:
        raise WrongCall(f"--set {entry}: the value {error}", hint=f"{name} needs another value") from None


def _check_fixed(fixed: Mapping[str, Any]) -> None:
    required = {"id": "a:1", "source": "a", "time": _SOME_TIME, "vendor": "a", "model": "a"}
    try:
        UsageEvent.model_validate({**required, **fixed})
    except ValidationError as error:
        refusal = rejection_of(error)
        # Whether subsets fit their totals shows only with a row's own counts.
        if refusal.reason != "subset_exceeds_total":
            raise WrongCall(f"--set: {refusal.message}", hint=refusal.hint) from None


def _is_fixed(column: MappedColumn, fixed: Mapping[str, Any]) -> bool:
    return column.key in fixed.get(column.group, {}) if column.group else column.name in fixed


def _field_hint(name: str) -> str:
    return f"{near_match(name, MAPPABLE)}Fields are {', '.join(MAPPABLE)}, tags.KEY, units.KEY"

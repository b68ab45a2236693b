"""Rows of CSV and JSON Lines as events, through a column map that is bound to the columns a file really has."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from producers.files import values
from producers.files.column_map import (
    MAPPABLE,
    RESPONSE_ID,
    TIME_FIELD,
    ColumnMap,
    MappedColumn,
    near_match,
)
from producers.files.rows import Row
from tokenweir.errors import RejectedInput, WrongCall
from tokenweir.usage.event import UsageEvent
from tokenweir.usage.identity import vendor_event_id
from tokenweir.usage.reading import read_event_object

_MAX_NAMED_COLUMNS: Final = 30
_UNIT_BY_DIGITS: Final = {10: "s", 13: "ms", 16: "us", 19: "ns"}
_COLUMN_COUNT_HINT: Final = "Quote a value that holds the delimiter or a line break"

Getter = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Plan:
    """For each mapped column: where its value stands in a row, and what becomes of it."""

    column: MappedColumn
    get: Getter


class MappedRows:
    """A column map bound to a file. width: the number of fields that every row must have; 0 for JSON."""

    def __init__(
        self,
        column_map: ColumnMap,
        getters: Mapping[str, Getter],
        *,
        source: str,
        now: datetime,
        width: int = 0,
    ) -> None:
        self._plans = tuple(_Plan(column, getters[column.name]) for column in column_map.columns)
        self._steps = tuple((plan.column, plan.get, plan.column.convert) for plan in self._plans)
        self._groups = {column.group for column in column_map.columns if column.group}
        self._fixed = {"source": source, **column_map.fixed}
        self._names_rows = any(column.name in ("id", RESPONSE_ID) for column in column_map.columns)
        self._source = source
        self._now = now
        self._width = width

    def events(self, row: Row, name: Callable[[], str]) -> Sequence[UsageEvent]:
        """The event of a row. name: gives the row's own name, for a row without an id. Raises RejectedInput."""
        value = row.value
        if self._width and len(value) != self._width:
            raise _wrong_width(len(value), self._width)
        fields = self._fixed.copy()
        for group in self._groups:
            fields[group] = dict(fields.get(group, ()))
        for column, get, convert in self._steps:
            found = get(value)
            if found is None or found == "":
                continue
            try:
                converted = convert(found)
            except values.Unreadable as error:
                raise RejectedInput(
                    error.reason,
                    f"{column.name}: column {column.column} {error}",
                    field=column.name,
                    hint="Check the row, or the unit in the column map",
                ) from None
            if column.group:
                fields[column.group][column.key] = converted
            else:
                fields[column.name] = converted
        if not self._names_rows or not self._take_own_id(fields):
            fields["id"] = name()
        return (read_event_object(fields, now=self._now),)

    def kept(self, row: Row) -> bytes:
        """What of a refused row may be looked at: its mapped fields by name."""
        if row.value is None or (self._width and len(row.value) != self._width):
            return row.content
        fields = {plan.column.name: plan.get(row.value) for plan in self._plans}
        return json.dumps(fields, default=str).encode()

    def _take_own_id(self, fields: dict[str, Any]) -> bool:
        vendor = fields.get("vendor", "")
        response_id = fields.pop(RESPONSE_ID, None)
        if response_id is not None:
            fields["id"] = vendor_event_id(vendor, response_id)
            return True
        own = fields.get("id")
        if own is None:
            return False
        if not own.startswith((f"{vendor}:", f"{self._source}:")):
            fields["id"] = f"{self._source}:{own}"
        return True


def bind_csv(
    path: str, header: Sequence[str], sample: Sequence[Sequence[str]], column_map: ColumnMap, **rest: Any
) -> MappedRows:
    """Binds to a CSV header. sample: the first rows. rest: as MappedRows takes it. Raises WrongCall."""
    names = [name.strip() for name in header]
    column_map = _filled(column_map, names)
    getters: dict[str, Getter] = {}
    for column in column_map.columns:
        if column.column not in names:
            raise _no_column(path, column, names)
        if names.count(column.column) > 1:
            raise WrongCall(
                f"{path} has {names.count(column.column)} columns {column.column!r}",
                hint="Rename all but one of them",
            )
        getters[column.name] = _item(names.index(column.column))
    whole = [row for row in sample if len(row) == len(names)]
    _check_time(path, column_map, getters, whole)
    return MappedRows(column_map, getters, width=len(names), **rest)


def bind_jsonl(
    path: str, sample: Sequence[Mapping[str, Any]], column_map: ColumnMap, **rest: Any
) -> MappedRows:
    """Binds to JSON objects. sample: the first ones; a column that none of them has is a mistake."""
    names = list(dict.fromkeys(name for row in sample for name in _paths(row)))
    column_map = _filled(column_map, names)
    getters = {column.name: _path(column.column) for column in column_map.columns}
    for column in column_map.columns:
        if sample and column.column not in names:
            raise _no_column(path, column, names)
    _check_time(path, column_map, getters, sample)
    return MappedRows(column_map, getters, **rest)


def _filled(column_map: ColumnMap, names: Sequence[str]) -> ColumnMap:
    """Without any `--map`, columns that bear a field's name are that field."""
    if not column_map.columns:
        own = [name for name in names if name in MAPPABLE or name.startswith(("tags.", "units."))]
        named = ColumnMap.parse([f"{name}={name}" for name in dict.fromkeys(own)])
        fixed = column_map.fixed
        kept = tuple(column for column in named.columns if column.name not in fixed)
        column_map = replace(column_map, columns=kept)
    column_map.require_whole()
    return column_map


def _check_time(
    path: str, column_map: ColumnMap, getters: Mapping[str, Getter], sample: Sequence[Any]
) -> None:
    """A number without a unit is a mistake of the map, not of the rows."""
    column = next((column for column in column_map.columns if column.name == TIME_FIELD), None)
    if column is None or column.convert is not values.iso_time:
        return
    found = [value for row in sample if (value := getters[TIME_FIELD](row)) not in (None, "")]
    digits = [str(value).partition(".")[0] for value in found]
    if digits and all(text.isdigit() for text in digits):
        unit = _UNIT_BY_DIGITS.get(len(digits[0]), "ms@2024-06-01T00:00:00Z")
        raise WrongCall(
            f"{path}: column {column.column} holds numbers, and --map time={column.column} names no unit",
            hint=f"Perhaps --map time={column.column}:{unit}",
        )


def _no_column(path: str, column: MappedColumn, names: Sequence[str]) -> WrongCall:
    shown = ", ".join(names[:_MAX_NAMED_COLUMNS]) + (", …" if len(names) > _MAX_NAMED_COLUMNS else "")
    return WrongCall(
        f"{path} has no column {column.column!r}, which --map {column.name}={column.column} names",
        hint=f"{near_match(column.column, names)}Its columns are {shown or '(none)'}",
    )


def _wrong_width(found: int, width: int) -> RejectedInput:
    reason = "missing_field" if found < width else "unknown_field"
    return RejectedInput(
        reason, f"the row has {found} columns where the header has {width}", hint=_COLUMN_COUNT_HINT
    )


def _item(index: int) -> Getter:
    return lambda row: row[index]


def _path(column: str) -> Getter:
    parts = column.split(".")
    if len(parts) == 1:
        return lambda row: row.get(column)

    def get(row: Any) -> Any:
        if column in row:
            return row[column]
        value = row
        for part in parts:
            if not isinstance(value, dict):
                return None
            value = value.get(part)
        return value

    return get


def _paths(row: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[str]:
    for name, value in row.items():
        yield f"{before}{name}"
        if isinstance(value, dict) and depth < 4:
            yield from _paths(value, f"{before}{name}.", depth + 1)

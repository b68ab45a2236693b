"""The meter's own form of a usage event: a msgspec struct derived from the pydantic model.

There is one schema, `UsageEvent`; this module walks its fields and makes the struct from them, so that a field added
there is here too. The struct decodes and encodes some four times faster than the model.

Invariants:
- what the struct and `have_value_problem` accept, `read_event_line` accepts, with the same values. One allowance: a
  fraction of a second with more than six digits is rounded here and cut there (one microsecond apart);
- `metering` is the meter's to write: ready JSON, which is put into the line as it stands and holds all that the meter
  adds. It is unset after decoding; a line that brings such a member along is refused (`carry_metering`), and any
  other that the model does not have is unknown.

Limits: control characters, times and the sums of subsets are not the struct's to check; `streams.lines` does.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin

import msgspec
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tokenweir.usage import UsageEvent

_BOUNDS: Final = ("ge", "gt", "le", "lt")
_LENGTHS: Final = ("min_length", "max_length")

# An escape that stands for a control character, or a DEL as it is. JSON forbids the others unescaped. An escaped
# backslash before such a letter is a false alarm, which only sends the line to the model.
CONTROL_CHARACTER: Final = re.compile(rb"\\(?:u00[01][0-9a-fA-F]|u007[fF]|[bfnrt])|\x7f")


class UnknownType(TypeError):
    """A model has a field whose type has no counterpart here; teach `struct_type` to read it."""


def struct_type(annotation: Any, metadata: tuple[Any, ...] = ()) -> Any:
    """The msgspec type of a pydantic field: the same type with the same bounds.

    annotation, metadata: as `FieldInfo` has them. Raises UnknownType.
    """
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *extra = get_args(annotation)
        return struct_type(inner, (*_flat(extra), *metadata))
    if origin in (Union, UnionType):
        return Union[tuple(struct_type(part, metadata) for part in get_args(annotation))]  # noqa: UP007
    if origin is Literal or annotation is type(None):
        return annotation
    if origin is dict:
        key, value = get_args(annotation)
        return _bounded(dict[struct_type(key), struct_type(value)], _LENGTHS, metadata)  # type: ignore[misc]
    if annotation is str:
        return _bounded(str, _LENGTHS, metadata)
    if annotation in (int, float):
        return _bounded(annotation, _BOUNDS, metadata)
    if annotation is Decimal or annotation is bool:
        return annotation
    if isinstance(annotation, type) and issubclass(annotation, datetime):
        return Annotated[datetime, msgspec.Meta(tz=True)]
    if getattr(annotation, "__name__", "") == "AwareDatetime":
        return Annotated[datetime, msgspec.Meta(tz=True)]
    raise UnknownType(f"no msgspec type is known for {annotation!r}")


def _flat(metadata: list[Any]) -> tuple[Any, ...]:
    flat: list[Any] = []
    for item in metadata:
        flat.extend(item.metadata if isinstance(item, FieldInfo) else [item])
    return tuple(flat)


def _bounded(kind: Any, names: tuple[str, ...], metadata: tuple[Any, ...]) -> Any:
    bounds = {
        name: getattr(item, name)
        for item in metadata
        for name in names
        if getattr(item, name, None) is not None
    }
    return Annotated[kind, msgspec.Meta(**bounds)] if bounds else kind


def _fields(model: type[BaseModel]) -> list[tuple[str, Any] | tuple[str, Any, Any]]:
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for name, field in model.model_fields.items():
        kind = struct_type(field.annotation, tuple(field.metadata))
        if field.is_required():
            fields.append((name, kind))
        elif field.default_factory is not None:
            factory = cast("Callable[[], Any]", field.default_factory)
            fields.append((name, kind, msgspec.field(default_factory=factory)))
        else:
            fields.append((name, kind, field.default))
    return fields


METERING_MEMBER: Final = "metered_at"
"""The first member that the meter adds to a line."""

UsageRecord: Final[type[msgspec.Struct]] = msgspec.defstruct(
    "UsageRecord",
    [*_fields(UsageEvent), ("metering", Any, msgspec.field(default=msgspec.UNSET, name=METERING_MEMBER))],
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    gc=False,  # holds text, numbers and maps of them: no cycle is possible
    module=__name__,
)

Columns = Mapping[str, Sequence[Any]]
"""Events column by column: each field's values, in the order of the events."""

_astuple: Final = msgspec.structs.astuple
_FIELDS: Final = UsageRecord.__struct_fields__


def columns_of(records: Sequence[Any]) -> dict[str, Sequence[Any]]:
    """The records column by column. Going down a column is done in C, going along a record is not."""
    if not records:
        return dict.fromkeys(_FIELDS, ())
    return dict(zip(_FIELDS, zip(*map(_astuple, records), strict=True), strict=True))


def carry_metering(columns: Columns) -> bool:
    """Whether any line just decoded brought along what only the meter may write."""
    brought = columns["metering"]
    return brought.count(msgspec.UNSET) != len(brought)


def _decimal_bounds(field: FieldInfo) -> tuple[Decimal | None, Decimal | None] | None:
    """The bounds of the `Decimal` in a field, or None where there is no `Decimal` in it."""
    found: list[tuple[Decimal | None, Decimal | None]] = []

    def walk(annotation: Any, metadata: tuple[Any, ...]) -> None:
        origin = get_origin(annotation)
        if origin is Annotated:
            inner, *extra = get_args(annotation)
            walk(inner, (*_flat(extra), *metadata))
        elif annotation is Decimal:
            lowest = next((item.ge for item in metadata if hasattr(item, "ge")), None)
            highest = next((item.le for item in metadata if hasattr(item, "le")), None)
            found.append((lowest, highest))
        else:
            for part in get_args(annotation):
                walk(part, ())

    walk(field.annotation, tuple(field.metadata))
    return found[0] if found else None


_DECIMALS: Final = {
    name: bounds
    for name, field in UsageEvent.model_fields.items()
    if (bounds := _decimal_bounds(field)) is not None
}


def have_value_problem(columns: Columns) -> bool:
    """Whether a `Decimal` of any record lies outside its field's bounds, which msgspec does not check."""
    return any(
        any(columns[name]) and any(_out_of_bounds(value, *bounds) for value in columns[name])
        for name, bounds in _DECIMALS.items()
    )


def _out_of_bounds(value: Any, lowest: Decimal | None, highest: Decimal | None) -> bool:
    for amount in value.values() if isinstance(value, dict) else (value,):
        if amount is None:
            continue
        if not amount.is_finite():
            return True
        if (lowest is not None and amount < lowest) or (highest is not None and amount > highest):
            return True
    return False

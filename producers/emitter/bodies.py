"""Whatever a vendor's client gives for an answer, as the JSON object that the vendor sent. Works in any thread.

Taken are decoded JSON objects, their text, and the objects of official clients: pydantic models of either version,
protocol buffers (plain and proto-plus), data classes, and what has a `to_dict`. None of their packages is imported
here: an object of theirs brings them along.

Invariant: raises RejectedInput and nothing else, and quotes nothing of the object.
"""

import dataclasses
import importlib
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from tokenweir.errors import RejectedInput

MAX_TEXT_BYTES: Final = 16 * 1024 * 1024


def as_mapping(body: Any) -> Mapping[str, Any]:
    """The JSON object that `body` stands for. Raises RejectedInput where it stands for none."""
    if type(body) is dict:
        return body
    try:
        found = _as_mapping(body)
    except BaseException as error:  # noqa: BLE001 - foreign code, in a thread that has to outlive it
        raise RejectedInput(
            "wrong_type", f"an answer of type {type(body).__name__} cannot be read: {type(error).__name__}"
        ) from None
    if found is None:
        raise RejectedInput(
            "wrong_type",
            f"an answer of type {type(body).__name__} is no JSON object",
            hint="Hand over what the vendor's client returned, or its JSON object",
        )
    return found


def _as_mapping(body: Any) -> Mapping[str, Any] | None:
    for kind, convert in _CONVERSIONS:
        if isinstance(body, kind):
            return convert(body)
    for method, convert in _METHODS:
        if hasattr(type(body), method):
            found = convert(body)
            return found if isinstance(found, Mapping) else None
    if dataclasses.is_dataclass(body) and not isinstance(body, type):
        return dataclasses.asdict(body)
    return None


def _from_text(text: str | bytes | bytearray) -> Mapping[str, Any] | None:
    if len(text) > MAX_TEXT_BYTES:
        return None
    found = json.loads(text, parse_float=Decimal)
    return found if isinstance(found, dict) else None


def _from_pydantic(body: Any) -> Any:
    # By alias: the names that the vendor's API has. Clients extend closed types by whatever a vendor sends, of
    # which pydantic would warn.
    return body.model_dump(mode="json", by_alias=True, exclude_none=True, warnings=False)


def _from_pydantic_1(body: Any) -> Any:
    return json.loads(body.json(by_alias=True, exclude_none=True), parse_float=Decimal)


def _from_proto(body: Any) -> Any:
    return importlib.import_module("google.protobuf.json_format").MessageToDict(body)


def _from_proto_plus(body: Any) -> Any:
    return _from_proto(type(body).pb(body))


_CONVERSIONS: Final[tuple[tuple[Any, Callable[[Any], Mapping[str, Any] | None]], ...]] = (
    (Mapping, lambda body: body),
    ((str, bytes, bytearray), _from_text),
)
_METHODS: Final[tuple[tuple[str, Callable[[Any], Any]], ...]] = (
    ("model_dump", _from_pydantic),
    ("__fields__", _from_pydantic_1),
    ("DESCRIPTOR", _from_proto),
    ("pb", _from_proto_plus),
    ("to_dict", lambda body: body.to_dict()),
    ("_serialize", lambda body: body._serialize(allow_none=False)),  # tencentcloud-sdk-python
)
"""By what an object's class has. The first that is there counts."""

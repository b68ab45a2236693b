"""Whatever is sent to a format comes out as outcomes or as a refusal, and never as a mistake of ours."""

import contextlib
import copy
import json
from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.gateway.formats import Format, formats, formats_by_path
from producers.gateway.outcomes import Arrived
from producers.gateway.refusals import RequestRefused
from producers.gateway.sorting import sort_outcomes
from tests.gateway.serving import fixed_now
from tests.gateway.test_hostile import DOORS, Door
from tests.opentelemetry.making import PROTOBUF

_JSON_DOORS: Final = [door for door in DOORS if door.content_type != PROTOBUF]
_VALUES: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["", "1e400", "NaN", "2026-01-01T00:00:00", "tokenweir.answer.openai", "\ud800", 10**30]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def _format_of(door: Door) -> tuple[Format, Mapping[str, str]]:
    address, path = door.address, {}
    if address.startswith("/v1/answers/"):
        address, path = "/v1/answers/{vendor}", {"vendor": address.rpartition("/")[2]}
    for one in formats_by_path()[address]:
        if door.content_type in one.content_types and one.takes({}):
            return one, path
    raise AssertionError(door)


def _sorted(door: Door, body: bytes) -> None:
    chosen, path = _format_of(door)
    arrived = Arrived(
        body=body,
        content_type=door.content_type,
        headers={},
        path=path,
        now=fixed_now(),
        source="",
        fields={},
        digest="body",
        agent_usage="metrics" if "metrics" in door.address else "logs",
    )
    with contextlib.suppress(RequestRefused):
        found = sort_outcomes(
            chosen.read(arrived), topic="t", now=fixed_now(), origin="body", held={}, tags={}
        )
        assert found.accepted + found.rejected + found.ignored.total() >= 0
        assert all(rejection.reason for rejection in found.rejections)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, one in inner for place in _places(one, (*path, name)))]


def _changed(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    if not path:
        return other
    whole = copy.deepcopy(value)
    holder = whole
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = other
    return whole


@pytest.mark.parametrize("door", DOORS, ids=lambda door: f"{door.address} {door.content_type}")
@settings(max_examples=60)
@given(body=st.binary(max_size=80))
def test_any_bytes(door: Door, body: bytes) -> None:
    _sorted(door, body)


@pytest.mark.parametrize("door", _JSON_DOORS, ids=lambda door: f"{door.address} {door.content_type}")
@settings(max_examples=120)
@given(data=st.data())
def test_any_value_in_any_place(door: Door, data: st.DataObject) -> None:
    whole = json.loads(door.canaries)
    path = data.draw(st.sampled_from(_places(whole)))
    _sorted(door, json.dumps(_changed(whole, path, data.draw(_VALUES))).encode())


def test_every_format_has_a_door_here() -> None:
    named = {_format_of(door)[0].name for door in DOORS}
    assert named == {one.name for one in formats()} - {"helicone", "portkey", "langfuse"}

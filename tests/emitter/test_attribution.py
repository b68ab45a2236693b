"""Who a call is for, by context: merged inwards, kept apart between tasks and threads, never a failure."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncGenerator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from producers.emitter import attributed, set_attribution
from producers.emitter.attribution import (
    MAX_NAME_CHARACTERS,
    NAMES,
    VARIABLES,
    attribution_from,
    current_attribution,
    merged,
    tidy,
)
from producers.emitter.reports import attribute
from tests.emitter.topic_contents import event
from tokenweir.usage.event import MAX_TAGS


def in_a_context_of_its_own(check: Any) -> None:
    contextvars.Context().run(check)


def test_inner_blocks_win_and_leave_nothing_behind() -> None:
    def check() -> None:
        with attributed(team="outer", user="anna", tags={"a": "1", "b": "1"}):
            with attributed(team="inner", session=7, tags={"b": "2"}):
                assert current_attribution() == {
                    "team": "inner",
                    "user": "anna",
                    "session": "7",
                    "tags": {"a": "1", "b": "2"},
                }
            assert current_attribution()["team"] == "outer"
            with attributed(user=""):
                assert current_attribution()["user"] == ""
        assert current_attribution() == {}

    in_a_context_of_its_own(check)


def test_the_setter_replaces_what_was_set_before() -> None:
    def check() -> None:
        set_attribution(team="first", user="anna")
        set_attribution(team="second", unknown="left out")
        assert current_attribution() == {"team": "second"}
        with attributed(user="ben"):
            assert current_attribution() == {"team": "second", "user": "ben"}
        set_attribution()
        assert current_attribution() == {}

    in_a_context_of_its_own(check)


async def test_tasks_that_interleave_do_not_see_each_other() -> None:
    seen: dict[str, list[Any]] = {}

    async def work(name: str) -> None:
        async with attributed(team=name):
            for _ in range(3):
                await asyncio.sleep(0)
                seen.setdefault(name, []).append(dict(current_attribution()))

    with attributed(service="api"):
        await asyncio.gather(*(work(f"team-{number}") for number in range(5)))
    assert all(found == [{"service": "api", "team": name}] * 3 for name, found in seen.items())
    assert len(seen) == 5


async def test_a_block_left_in_another_context_does_not_fail() -> None:
    async def generate() -> AsyncGenerator[int]:
        with attributed(team="generator"):
            yield 1
            yield 2

    generator = generate()
    await asyncio.create_task(anext(generator))
    await asyncio.create_task(generator.aclose())
    assert current_attribution() == {}


def test_a_thread_starts_with_nothing_unless_it_is_given_the_context() -> None:
    seen: list[Any] = []
    with attributed(team="checkout"):
        context = contextvars.copy_context()
        for target in (
            lambda: seen.append(dict(current_attribution())),
            lambda: context.run(lambda: seen.append(dict(current_attribution()))),
        ):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
    assert seen == [{}, {"team": "checkout"}]


class _Unshowable:
    def __str__(self) -> str:
        raise RuntimeError("not to be shown")


_VALUES = st.one_of(
    st.none(),
    st.text(),
    st.text(min_size=250, max_size=300),
    st.integers(),
    st.binary(),
    st.just("\ud800"),
    st.builds(_Unshowable),
)


@given(
    st.dictionaries(st.sampled_from(NAMES), _VALUES),
    st.dictionaries(_VALUES.filter(lambda value: not isinstance(value, _Unshowable)), _VALUES, max_size=40),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=40),
)
def test_whatever_an_application_has_at_hand_becomes_a_valid_event(
    names: dict[str, Any], tags: dict[Any, Any], outer_tags: dict[str, str]
) -> None:
    found = merged(tidy({"tags": outer_tags}), tidy({**names, "tags": tags}))
    changed = attribute(event(1), found)
    assert type(changed).model_validate_json(changed.model_dump_json()) == changed
    assert len(changed.tags) <= MAX_TAGS
    assert all(len(str(value)) <= MAX_NAME_CHARACTERS for name, value in found.items() if name != "tags")


def test_an_events_own_fields_are_never_replaced() -> None:
    own = event(1, team="own", tags={"a": "own"})
    found = attribute(
        own, tidy({"team": "context", "user": "anna", "tags": {"a": "context", "b": "context"}})
    )
    assert (found.team, found.user, found.tags) == ("own", "anna", {"a": "own", "b": "context"})


def test_the_environment_attributes_a_process() -> None:
    found = attribution_from(
        {
            "TOKENWEIR_TEAM": "checkout",
            "TOKENWEIR_SERVICE": "",
            "TOKENWEIR_TAGS": "region=eu, tier = gold ,broken",
            "TOKENWEIR_LOG_LEVEL": "debug",
        }
    )
    assert found == {"team": "checkout", "tags": {"region": "eu", "tier": "gold"}}
    assert set(VARIABLES.values()) == {*NAMES, "tags"}

"""What holds for any traffic: to itself nothing changes, no call is lost, parts sum up, and pages do not matter."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.whatif.making import BOOK, CUT, DAY, NOW, WORKLOAD, ask, call, candidate, only
from tokenweir.usage import UsageEvent
from tokenweir.whatif.answer import sum_of
from tokenweir.whatif.candidate import Candidate

counts = st.integers(0, 300_000)
CANDIDATES = (
    candidate("cheap", max_input_tokens=250_000, input=("text",), operations=("chat",)),
    candidate("no-cache", tokens_factor=Decimal("1.15"), max_output_tokens=200_000),
    candidate("tiered", retires_on=CUT.date()),
    candidate("yuan", tokens_factor=Decimal("0.9")),
    candidate("nightly"),
    candidate("foreign"),
    candidate("regional", region="eu-west-1"),
    candidate("by-tag"),
    candidate("old", "a"),
)


@st.composite
def calls(draw: st.DrawFn) -> UsageEvent:
    read, written, fresh, output = draw(counts), draw(st.just(0) | counts), draw(counts), draw(counts)
    fields: dict[str, Any] = {
        "model": draw(st.sampled_from(["old", "old", "gone", "private"])),
        "time": DAY + timedelta(hours=draw(st.integers(0, 23 * 24))),
        "team": draw(st.sampled_from(["", "search", "ads"])),
        "service_tier": draw(st.sampled_from(["standard", "standard", "batch"])),
        "operation": draw(st.sampled_from(["chat", "chat", "embedding"])),
        "input_tokens": fresh + read + written,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "output_tokens": output,
        "tags": draw(st.sampled_from([{}, {"quality": "high"}, {"quality": "low"}])),
        "reasoning_tokens": draw(st.just(0) | st.integers(0, output)),
    }
    if draw(st.integers(0, 5)) == 0:
        fields["input_image_tokens"] = draw(st.integers(0, fresh))
    if draw(st.integers(0, 5)) == 0:
        fields["units"] = {"web_searches": Decimal(draw(st.integers(0, 3)))}
    return call(**fields)


@settings(deadline=None)
@given(st.lists(calls(), max_size=10))
def test_to_itself_at_its_own_times_it_costs_what_was_billed(events: list[UsageEvent]) -> None:
    old = [each for each in events if each.model == "old"]
    answer = ask(old, candidate("old", "a"), at=None)
    total = only(answer).total
    billed = [BOOK.price(each).cost_picos for each in old]
    assert total.cost_picos == answer.traffic.billed_picos == sum(cost or 0 for cost in billed)
    assert total.calls == len(billed) - billed.count(None)
    for one in (total.billed, total.same_prices):
        assert (one.calls, one.before_picos, one.after_picos) == (
            total.calls,
            total.cost_picos,
            total.cost_picos,
        )


@settings(deadline=None)  # prices each call on eight candidates, and each by itself
@given(st.lists(calls(), max_size=10), st.sampled_from([NOW, CUT, None]), st.booleans())
def test_each_call_is_priced_as_the_book_prices_it_or_left_out(
    events: list[UsageEvent], at: Any, standard_instead: bool
) -> None:
    answer = ask(events, *CANDIDATES, at=at, standard_instead=standard_instead)
    for choice in answer.choices:
        costs = [_moved(each, choice.candidate, at, standard_instead) for each in events]
        total = choice.total
        assert total.cost_picos == sum(cost or 0 for cost in costs)
        assert (total.calls, total.left_out_calls) == (len(costs) - costs.count(None), costs.count(None))
        assert total.billed.calls <= total.calls
        billed = [BOOK.price(each).cost_picos for each in events]
        both = [
            (old, new) for old, new in zip(billed, costs, strict=True) if old is not None and new is not None
        ]
        assert (total.billed.calls, total.billed.before_picos, total.billed.after_picos) == (
            len(both),
            sum(old for old, _ in both),
            sum(new for _, new in both),
        )


def _moved(event: UsageEvent, to: Candidate, at: Any, standard_instead: bool) -> int | None:
    """Picos of one call on a candidate by the plain way: a call made anew, checked and priced by itself."""
    columns = {name: [getattr(event, name)] for name in UsageEvent.model_fields}
    changed: dict[str, Any] = {
        name: values[0] for name, values in to.counted(columns).items() if name.endswith("_tokens")
    }
    moved = event.model_copy(
        update={
            **changed,
            "vendor": to.vendor,
            "model": to.model,
            "region": event.region if to.region is None else to.region,
        }
    )
    known = to.known
    if known is not None:
        longest, most = known.max_input_tokens, known.max_output_tokens
        end: date | None = known.retires_on
        if (
            (longest is not None and moved.input_tokens > longest)
            or (most is not None and moved.output_tokens > most)
            or (known.input and moved.input_image_tokens)
            or (known.operations and moved.operation != "chat")
            or (end is not None and (at or moved.time).date() >= end)
        ):
            return None
    moment = moved.time if at is None else at
    if to.model == "nightly" and at is not None:
        # The same hour of the day, at a time from which on the price stays the same.
        moment = NOW.replace(hour=moved.time.hour)
    cost = BOOK.price(moved, at=moment).cost_picos
    if cost is None and standard_instead and moved.service_tier == "batch" and to.model != "old":
        cost = BOOK.price(moved.model_copy(update={"service_tier": "standard"}), at=moment).cost_picos
    return cost


@settings(deadline=None)  # asks a dozen times
@given(st.lists(calls(), min_size=1, max_size=12), st.integers(2, 4))
def test_parts_sum_to_the_whole_and_pages_do_not_matter(events: list[UsageEvent], pages: int) -> None:
    whole, in_pages = ask(events, *CANDIDATES), ask(events, *CANDIDATES, pages=pages)
    assert _sums(whole) == _sums(in_pages)
    assert _sums(ask(events, *CANDIDATES, by=())) == _sums(whole)
    for choice in whole.choices:
        assert sum_of(choice.workloads.values()) == choice.total
        by_team = [
            only(ask([each for each in events if each.team == team], choice.candidate)).total
            for team in {each.team for each in events}
        ]
        assert sum_of(by_team) == choice.total
        assert {key for key, _ in whole.ranked(choice)} == {
            tuple(getattr(each, name) for name in WORKLOAD) for each in events
        }


def _sums(answer: Any) -> Sequence[Any]:
    return [answer.traffic, *((choice.candidate.name, choice.total) for choice in answer.choices)]


@settings(deadline=None)  # eight candidates
@given(st.lists(calls(), max_size=8))
def test_no_amount_is_a_float(events: list[UsageEvent]) -> None:
    def floats(value: Any) -> bool:
        if isinstance(value, dict):
            return any(map(floats, value.values()))
        if isinstance(value, list | tuple):
            return any(map(floats, value))
        return isinstance(value, float)

    assert not floats(ask(events, *CANDIDATES).fields())

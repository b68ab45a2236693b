"""What holds of allowances whatever the calls: against sums that know nothing of calls coming one by one."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from random import Random
from zoneinfo import ZoneInfo

from allowance_events import START, a_book, a_call, an_allowance, settled
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenweir.cli.event_order import price_in_event_order
from tokenweir.pricing import PriceBook, Priced
from tokenweir.pricing.allowances import EVERY, Allowance
from tokenweir.pricing.balances import Balances
from tokenweir.pricing.covering import Coverage
from tokenweir.usage import UsageEvent

NOTHING = Fraction(0)
tokens = st.integers(0, 1_000)
weights = st.sampled_from(["1", "2", "0.1", "0.25", "3.7"])


@st.composite
def calls(draw: st.DrawFn, days: int = 3) -> list[UsageEvent]:
    """Calls of two tenants within some days, some of them at the same time."""
    found = []
    for number in range(draw(st.integers(0, 12))):
        inputs = draw(tokens)
        found.append(
            a_call(
                number,
                time=START + timedelta(hours=draw(st.integers(0, 24 * days))),
                tenant=draw(st.sampled_from(["acme", "zeta"])),
                input_tokens=inputs,
                cache_read_tokens=draw(st.integers(0, inputs)),
                output_tokens=draw(tokens),
            )
        )
    return found


@st.composite
def allowances(draw: st.DrawFn) -> list[Allowance]:
    """Up to three that fit all of the calls, of several kinds."""
    return [
        an_allowance(
            draw(st.integers(1, 4_000)),
            f"pack{number}",
            weights={
                "input": draw(weights),
                "output": draw(weights),
                **({"cache_read": draw(weights)} if draw(st.booleans()) else {}),
            },
            every=draw(st.sampled_from(EVERY)),
            zone=draw(st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York"])),
            account_fields=draw(st.sampled_from([(), ("tenant",)])),
            valid_to=draw(st.sampled_from([None, START + timedelta(days=2)])),
        )
        for number in range(draw(st.integers(1, 3)))
    ]


def _weighed(call: UsageEvent, allowance: Allowance) -> Fraction:
    weight = allowance.weights
    cached = weight.get("cache_read", weight["input"]) * call.cache_read_tokens
    fresh = weight["input"] * (call.input_tokens - call.cache_read_tokens)
    return cached + fresh + weight["output"] * call.output_tokens


def _of_tokens(coverage: Coverage) -> set[Fraction]:
    """The shares of a call's tokens that are still charged."""
    return {share for group, share in coverage.charged.items() if group in ("input", "output")}


def _local_day(call: UsageEvent, allowance: Allowance) -> str:
    if allowance.every == "once":
        return ""
    day = call.time.astimezone(ZoneInfo(allowance.zone)).date().isoformat()
    return day if allowance.every == "day" else day[:7]


@given(allowances(), calls())
def test_each_call_has_what_the_sums_before_it_leave(
    packs: list[Allowance], given_calls: list[UsageEvent]
) -> None:
    """An independent computation: by prefix sums, one allowance over all calls after another."""
    # One order of use for all calls, so that the allowances can be gone through one by one.
    packs = [pack for pack in packs if pack.every == packs[0].every and pack.valid_to == packs[0].valid_to]
    packs = [pack for pack in packs if pack.zone == packs[0].zone]
    in_order = sorted(given_calls, key=lambda call: (call.time, call.tenant, call.id))
    charged = {call.id: Fraction(1) for call in in_order}
    for pack in packs:
        needs: dict[tuple[str, ...], list[tuple[str, Fraction]]] = defaultdict(list)
        for call in in_order:
            if pack.valid_to is None or call.time < pack.valid_to:
                account = [getattr(call, field) for field in pack.account_fields]
                key = (_local_day(call, pack), *account)
                needs[key].append((call.id, charged[call.id] * _weighed(call, pack)))
        for of_account in needs.values():
            before = NOTHING
            for call_id, need in of_account:
                past = min(max(before + need - pack.amount, NOTHING), need)
                charged[call_id] *= Fraction(past, need) if need else 1
                before += need
    balances = Balances(a_book(*packs))
    for call in in_order:
        _, coverage = balances.take(call)
        if coverage.taken:
            assert _of_tokens(coverage) == {charged[call.id]}
        else:
            assert charged[call.id] == 1


@given(allowances(), calls())
def test_nothing_is_lost_between_what_is_covered_and_what_is_charged(
    packs: list[Allowance], given_calls: list[UsageEvent]
) -> None:
    book = a_book(*packs)
    balances = Balances(book)
    taken: dict[str, Fraction] = defaultdict(Fraction)
    by_id = {pack.allowance_id: pack for pack in packs}
    for call in sorted(given_calls, key=lambda call: (call.time, call.tenant, call.id)):
        priced, coverage = balances.take(call)
        covered = NOTHING
        for pack_id, amount in coverage.taken:
            assert amount > 0
            taken[pack_id] += amount
            covered += Fraction(amount, _weighed(call, by_id[pack_id]))
        if coverage.taken:
            assert {covered + share for share in _of_tokens(coverage)} == {1}
        assert priced == book.price(call)
    used: dict[str, Fraction] = defaultdict(Fraction)
    for balance in balances:
        assert 0 <= balance.left == balance.allowance.amount - balance.used
        assert (balance.used_up_at is not None) == (not balance.left)
        used[balance.allowance.allowance_id] += balance.used
    assert used == taken


@given(allowances(), calls())
def test_a_cost_is_the_sum_of_its_parts_between_nothing_and_the_whole(
    packs: list[Allowance], given_calls: list[UsageEvent]
) -> None:
    book = a_book(*packs)
    by_id = {call.id: call for call in given_calls}
    for call_id, priced in settled(book, given_calls)[0].items():
        alone = book.price(by_id[call_id])
        assert priced.cost_picos is not None
        assert alone.cost_picos is not None
        assert type(priced.cost_picos) is int
        assert priced.cost_picos == sum(picos for _, picos in priced.parts) == priced.native_cost_picos
        assert priced.list_cost_picos == alone.cost_picos
        whole = dict(alone.parts)
        assert all(0 <= picos <= whole.get(name, 0) for name, picos in priced.parts)
        assert (priced.price_status == "allowance") == priced.price_id.startswith("pack")


def _by_line(book: PriceBook, lines: list[UsageEvent]) -> list[tuple[UsageEvent, Priced]]:
    answers = price_in_event_order(
        [line.model_dump_json().encode() for line in lines],
        UsageEvent.model_validate_json,
        book,
        nameless_id="",
    )
    found = []
    for place, (number, answer) in enumerate(answers):
        assert isinstance(answer, tuple)
        assert number == place
        found.append(answer)
    return found


@settings(deadline=None)
@given(allowances(), calls(), st.randoms(), st.integers(0, 6))
def test_the_order_and_the_repetition_of_lines_change_no_answer(
    packs: list[Allowance], given_calls: list[UsageEvent], random: Random, repeated: int
) -> None:
    book = a_book(*packs)
    expected, _ = settled(book, given_calls)
    lines = [*given_calls, *given_calls[:repeated]]
    random.shuffle(lines)
    answers = _by_line(book, lines)
    assert [event for event, _ in answers] == lines
    assert all(priced == expected[event.id] for event, priced in answers)


@given(allowances(), calls(), st.integers(0, 11), st.data())
def test_a_call_split_in_two_takes_as_much(
    packs: list[Allowance], given_calls: list[UsageEvent], which: int, data: st.DataObject
) -> None:
    if which >= len(given_calls):
        return
    whole = given_calls[which]
    cached = data.draw(st.integers(0, whole.cache_read_tokens))
    fresh = data.draw(st.integers(0, whole.input_tokens - whole.cache_read_tokens))
    output = data.draw(st.integers(0, whole.output_tokens))
    first = {"input_tokens": cached + fresh, "cache_read_tokens": cached, "output_tokens": output}
    second = {name: getattr(whole, name) - count for name, count in first.items()}
    parts = [
        whole.model_copy(update={**counts, "id": f"{whole.id}{end}"})
        for counts, end in ((first, "a"), (second, "b"))
    ]
    split = [*given_calls[:which], *parts, *given_calls[which + 1 :]]
    # With one allowance; of several, the parts of a call may be covered by others than the whole.
    book = a_book(packs[0])
    used = [
        {(b.account, b.starts_at): b.used for b in settled(book, lines)[1]} for lines in (given_calls, split)
    ]
    assert used[0] == used[1]


@given(allowances(), allowances(), calls())
def test_an_allowance_learned_later_never_changes_what_was_billed_before(
    known: list[Allowance], learned: list[Allowance], given_calls: list[UsageEvent]
) -> None:
    billed_at = START + timedelta(days=9)
    later = [
        an_allowance(
            pack.amount,
            pack.allowance_id,
            weights=pack.weights,
            every=pack.every,
            zone=pack.zone,
            recorded_at=billed_at + timedelta(seconds=1),
        )
        for pack in learned
    ]
    before, _ = settled(a_book(*known), given_calls, known_at=billed_at)
    after, _ = settled(a_book(*known, *later), given_calls, known_at=billed_at)
    assert before == after


moments = st.integers(0, 10 * 366 * 86_400).map(
    lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
zones = st.sampled_from(
    ["UTC", "Asia/Shanghai", "America/New_York", "Europe/Berlin", "Africa/Cairo", "America/Havana"]
)


@given(moments, zones, st.sampled_from(["day", "month"]))
def test_periods_follow_one_another_and_hold_one_local_day_or_month(
    moment: datetime, zone: str, every: str
) -> None:
    allowance = an_allowance(1, every=every, zone=zone)
    starts_at, ends_at = allowance.period_at(moment)
    assert starts_at <= moment < ends_at
    assert allowance.period_at(ends_at)[0] == ends_at
    instant = timedelta(microseconds=1)
    assert allowance.period_at(starts_at - instant)[1] == starts_at
    length = 10 if every == "day" else 7
    names = {
        edge.astimezone(ZoneInfo(zone)).date().isoformat()[:length]
        for edge in (starts_at, moment, ends_at - instant)
    }
    assert len(names) == 1
    assert ends_at.astimezone(ZoneInfo(zone)).date().isoformat()[:length] not in names

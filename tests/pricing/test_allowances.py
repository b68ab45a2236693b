"""What packs and free tiers cover, by hand: each figure here was reckoned on paper."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from allowance_events import JANUARY, START, a_book, a_call, an_allowance, settled
from pricing_events import per_million, row

from tokenweir.pricing import PriceBook
from tokenweir.pricing.aliases import Alias
from tokenweir.pricing.allowances import Allowances
from tokenweir.pricing.balances import Balances
from tokenweir.pricing.contracts import Contracts
from tokenweir.pricing.matching import Match
from tokenweir.pricing.price import BEGINNING, Rate, RateCard
from tokenweir.pricing.sources import RowSource

DOLLAR = 10**12
# A dollar a million tokens in, two out.
MILLION = 1_000_000


def test_a_pack_covers_calls_in_their_order_and_the_last_in_part() -> None:
    book = a_book(an_allowance(1_500_000))
    calls = [a_call(n, input_tokens=800_000, output_tokens=200_000) for n in range(3)]
    priced, balances = settled(book, reversed(calls))
    # 1.0 + 0.4 dollars a call; the second needs a million and finds half of it.
    assert [priced[call.id].cost_picos for call in calls] == [0, 6 * DOLLAR // 10, 12 * DOLLAR // 10]
    assert {priced[call.id].list_cost_picos for call in calls} == {12 * DOLLAR // 10}
    second = priced["c0001"]
    assert dict(second.parts) == {"input": 4 * DOLLAR // 10, "output": 2 * DOLLAR // 10}
    assert [priced[call.id].price_status for call in calls] == ["allowance", "allowance", "list"]
    assert [priced[call.id].price_id for call in calls] == ["pack+test:m", "pack+test:m", "test:m"]
    assert dict(priced["c0000"].parts) == {"input": 0, "output": 0}
    (balance,) = balances
    assert (balance.used, balance.left, balance.calls) == (1_500_000, 0, 2)
    assert (balance.first_used_at, balance.last_used_at) == (START, START + timedelta(seconds=1))
    assert balance.used_up_at == START + timedelta(seconds=1)


def test_kinds_weigh_differently_and_what_is_not_weighed_apart_as_what_is_around_it() -> None:
    book = a_book(an_allowance(MILLION, weights={"input": 1, "output": 4, "cache_read": "0.1"}))
    call = a_call(
        input_tokens=1_000,
        cache_read_tokens=600,
        cache_write_tokens=100,
        output_tokens=50,
        reasoning_tokens=20,
    )
    _, balances = settled(book, [call])
    assert next(iter(balances)).used == 400 + 60 + 4 * 50


def test_dearer_models_take_more_of_it() -> None:
    factors = (
        (Match("equals", "big"), Fraction(2)),
        (Match("starts_with", "big"), {"input": Fraction(3), "output": Fraction(1, 2)}),
    )
    rows = [row("big"), row("bigger"), row("small")]
    calls = [
        a_call(n, model=model, input_tokens=100, output_tokens=10)
        for n, model in enumerate(("small", "big", "bigger"))
    ]
    used = []
    for call in calls:
        _, balances = settled(a_book(an_allowance(MILLION, factors=factors), public=rows), [call])
        used.append(next(iter(balances)).used)
    assert used == [110, 220, 305]


def test_what_an_allowance_does_not_count_stays_charged() -> None:
    card = RateCard((*per_million(input="1", output="2"), ("web_searches", Rate(DOLLAR, 100))))
    call = a_call(input_tokens=MILLION, units={"web_searches": Decimal(10)})
    book = a_book(an_allowance(10 * MILLION), public=[row(card=card)])
    assert dict(settled(book, [call])[0][call.id].parts) == {
        "input": 0,
        "output": 0,
        "web_searches": DOLLAR // 10,
    }
    searches = an_allowance(4, weights={"web_searches": 1})
    book = a_book(searches, public=[row(card=card)])
    priced = settled(book, [call])[0][call.id]
    assert dict(priced.parts) == {"input": DOLLAR, "output": 0, "web_searches": 6 * DOLLAR // 100}


def test_output_alone_can_be_counted() -> None:
    book = a_book(an_allowance(MILLION, weights={"output": 1}))
    priced, balances = settled(book, [a_call(input_tokens=500, output_tokens=100)])
    assert dict(priced["c0000"].parts) == {"input": 500 * MILLION, "output": 0}
    assert next(iter(balances)).used == 100


def test_a_number_of_requests_covers_whole_calls() -> None:
    card = RateCard((*per_million(input="1", output="2"), ("requests", Rate(DOLLAR, 100))))
    book = a_book(an_allowance(2, weights={"requests": 1}), public=[row(card=card)])
    failed = a_call(0, status="error")
    calls = [failed, *(a_call(n, input_tokens=100) for n in (1, 2, 3))]
    priced, balances = settled(book, calls)
    assert [priced[call.id].cost_picos for call in calls] == [0, 0, 0, DOLLAR // 100 + 100 * MILLION]
    assert priced[failed.id].price_status == "list"
    assert next(iter(balances)).calls == 2


def test_the_rest_goes_to_the_next_allowance_and_then_to_the_price() -> None:
    daily = an_allowance(100, "free", every="day")
    pack = an_allowance(250, "pack", weights={"input": 1, "output": 2})
    book = a_book(pack, daily)
    calls = [a_call(n, input_tokens=100, output_tokens=100) for n in range(2)]
    priced, balances = settled(book, calls)
    # The day ends before the pack does: half of the first call; its other half weighs 50 + 2 * 50 in the pack.
    assert priced["c0000"].cost_picos == 0
    assert priced["c0000"].price_id == "free+pack+test:m"
    # The second finds 100 of the 300 that it weighs: two thirds are charged, each part rounded once.
    assert dict(priced["c0001"].parts) == {"input": 66_666_667, "output": 133_333_333}
    assert priced["c0001"].cost_picos == 200_000_000
    assert {b.allowance.allowance_id: (b.used, b.left) for b in balances} == {
        "free": (100, 0),
        "pack": (250, 0),
    }


def test_the_one_that_ends_first_is_used_first_then_the_one_known_earlier_then_the_files_order() -> None:
    day = timedelta(days=1)
    later = an_allowance(10, "later", valid_to=START + 2 * day)
    sooner = an_allowance(10, "sooner", valid_to=START + day, recorded_at=JANUARY + day)
    known = an_allowance(10, "known", valid_to=START + 2 * day, recorded_at=JANUARY - day)
    second = an_allowance(10, "second", valid_to=START + 2 * day)
    priced, _ = settled(a_book(later, sooner, known, second), [a_call(input_tokens=40)])
    assert priced["c0000"].price_id == "sooner+known+later+second+test:m"


def test_each_account_has_its_own_and_others_have_none() -> None:
    per_key = an_allowance(10, account_fields=("tenant", "api_key"), where=(("project", ("p", "q")),))
    calls = [
        a_call(0, input_tokens=10, api_key="a", project="p"),
        a_call(1, input_tokens=10, api_key="a", project="q"),
        a_call(2, input_tokens=10, api_key="b", project="p"),
        a_call(3, input_tokens=10, api_key="c"),
    ]
    priced, balances = settled(a_book(per_key), calls)
    assert [bool(priced[call.id].cost_picos) for call in calls] == [False, True, False, True]
    assert {balance.account for balance in balances} == {("default", "a"), ("default", "b")}
    shared = an_allowance(15, account_fields=())
    priced, balances = settled(a_book(shared), [a_call(n, input_tokens=10, tenant=f"t{n}") for n in range(2)])
    assert [priced[f"c000{n}"].cost_picos for n in range(2)] == [0, 5 * MILLION]
    assert [balance.account for balance in balances] == [()]


def test_tiers_and_regions_are_kept_to() -> None:
    allowance = an_allowance(MILLION, service_tiers=("standard",), regions=("cn-*",))
    calls = [
        a_call(0, input_tokens=1, region="cn-1", service_tier="default"),
        a_call(1, input_tokens=1, region="eu-1"),
        a_call(2, input_tokens=1, region="cn-1", service_tier="batch"),
    ]
    _, balances = settled(a_book(allowance), calls)
    assert next(iter(balances)).used == 1


def test_days_and_months_are_those_of_the_zone_also_where_clocks_change() -> None:
    autumn = an_allowance(1, every="day", zone="Europe/Berlin")
    # 26 October 2025 has 25 hours there.
    noon = datetime(2025, 10, 26, 12, tzinfo=UTC)
    starts_at, ends_at = autumn.period_at(noon)
    assert (starts_at, ends_at) == (
        datetime(2025, 10, 25, 22, tzinfo=UTC),
        datetime(2025, 10, 26, 23, tzinfo=UTC),
    )
    # In Cairo clocks skip the midnight of 25 April 2025: that day begins at one, 22:00 UTC.
    cairo = an_allowance(1, every="day", zone="Africa/Cairo")
    assert cairo.period_at(datetime(2025, 4, 25, 10, tzinfo=UTC))[0] == datetime(2025, 4, 24, 22, tzinfo=UTC)
    month = an_allowance(10, every="month", zone="Asia/Shanghai")
    calls = [
        a_call(0, input_tokens=10, time=datetime(2025, 11, 30, 15, 59, 59, 999_999, UTC)),
        a_call(1, input_tokens=10, time=datetime(2025, 11, 30, 16, tzinfo=UTC)),
        a_call(2, input_tokens=10, time=datetime(2025, 12, 31, 15, 59, tzinfo=UTC)),
    ]
    priced, balances = settled(a_book(month), calls)
    assert [priced[call.id].cost_picos for call in calls] == [0, 0, 10 * MILLION]
    assert [balance.starts_at for balance in balances] == [
        datetime(2025, 10, 31, 16, tzinfo=UTC),
        datetime(2025, 11, 30, 16, tzinfo=UTC),
    ]


def test_a_period_is_cut_to_the_time_in_which_the_allowance_holds() -> None:
    middle = START + timedelta(days=14)
    first = an_allowance(10, every="month", valid_to=middle)
    second = an_allowance(20, every="month", valid_from=middle)
    assert first.period_at(START) == (START, middle)
    assert second.period_at(middle)[0] == middle
    calls = [a_call(0, input_tokens=30), a_call(1, input_tokens=30, time=middle)]
    priced, _ = settled(a_book(first, second), calls)
    assert [priced[call.id].cost_picos for call in calls] == [20 * MILLION, 10 * MILLION]


def test_yuan_are_covered_as_yuan() -> None:
    public = row(currency="CNY", card=RateCard(per_million(input="10", output="20")))
    priced, _ = settled(a_book(an_allowance(1), public=[public]), [a_call(input_tokens=3)])
    # Two thirds of 30 million picos of a yuan, then at 0.14.
    assert (priced["c0000"].native_cost_picos, priced["c0000"].currency) == (20 * MILLION, "CNY")
    assert (priced["c0000"].cost_picos, priced["c0000"].list_cost_picos) == (2_800_000, 4_200_000)
    unknown_money = row(currency="XXX")
    calls = [a_call(0, input_tokens=4), a_call(1, input_tokens=10)]
    priced, _ = settled(a_book(an_allowance(5), public=[unknown_money]), calls)
    assert (priced["c0000"].cost_picos, priced["c0000"].list_cost_picos) == (0, None)
    assert (priced["c0001"].cost_picos, priced["c0001"].native_cost_picos) == (None, 9 * MILLION)
    assert priced["c0001"].price_status == "unpriced"


def test_a_contract_price_is_covered_and_the_list_cost_stays() -> None:
    committed = row(card=RateCard(per_million(input="0.5", output="1")), price_id="acme:m")
    priced, _ = settled(a_book(an_allowance(MILLION), rows=[committed]), [a_call(input_tokens=2 * MILLION)])
    assert (priced["c0000"].cost_picos, priced["c0000"].list_cost_picos) == (DOLLAR // 2, 2 * DOLLAR)
    assert priced["c0000"].price_id == "pack+acme:m"


def test_a_call_without_a_price_that_is_covered_whole_costs_nothing_and_has_no_list_cost() -> None:
    calls = [a_call(n, model="unknown", input_tokens=60) for n in range(2)]
    priced, balances = settled(a_book(an_allowance(100)), calls)
    whole, part = priced["c0000"], priced["c0001"]
    assert (whole.cost_picos, whole.list_cost_picos, whole.price_status) == (0, None, "allowance")
    assert (whole.price_id, whole.unpriced_reason) == ("pack", "")
    assert (part.cost_picos, part.price_status) == (None, "unpriced")
    assert next(iter(balances)).left == 0
    with_unit = a_call(model="unknown", input_tokens=1, units={"web_searches": Decimal(1)})
    assert settled(a_book(an_allowance(100)), [with_unit])[0][with_unit.id].cost_picos is None


def test_a_reported_cost_is_covered_as_far_as_the_call_is() -> None:
    call = a_call(model="unknown", input_tokens=100, reported_cost=Decimal("0.4"), reported_currency="USD")
    priced, _ = settled(a_book(an_allowance(75)), [call])
    assert (priced[call.id].cost_picos, priced[call.id].list_cost_picos) == (DOLLAR // 10, 4 * DOLLAR // 10)
    assert priced[call.id].price_id == "pack"


def test_the_least_that_a_call_costs_is_covered_as_far_as_the_call_is() -> None:
    card = RateCard(per_million(input="1", output="2"), minimum_picos=DOLLAR)
    priced, _ = settled(a_book(an_allowance(75), public=[row(card=card)]), [a_call(input_tokens=100)])
    assert dict(priced["c0000"].parts) == {
        "input": 25 * MILLION,
        "output": 0,
        "minimum_charge": DOLLAR // 4 - 25 * MILLION,
    }


def test_what_costs_nothing_takes_nothing() -> None:
    free = row(card=RateCard(per_million(input="0", output="0")))
    priced, balances = settled(a_book(an_allowance(100), public=[free]), [a_call(input_tokens=10)])
    assert priced["c0000"].price_status == "free"
    assert not list(balances)


def test_an_alias_is_covered_as_what_it_means() -> None:
    alias = Alias("pointer", "v", Match("equals", "prod"), "v", "m", JANUARY, "test")
    allowance = an_allowance(10, match=Match("equals", "m"))
    book = PriceBook([RowSource([row()])], contracts=Contracts(aliases=[alias], allowances=[allowance]))
    priced, _ = settled(
        book, [a_call(0, model="PROD", input_tokens=10), a_call(1, model="x", input_tokens=1)]
    )
    assert priced["c0000"].price_id == "pack+pointer=test:m"
    assert priced["c0001"].price_status == "unpriced"


def test_what_was_billed_before_an_allowance_was_known_stays() -> None:
    learned = START + timedelta(seconds=10)
    book = a_book(an_allowance(100, recorded_at=learned))
    call = a_call(input_tokens=10)
    assert settled(book, [call], known_at=learned - timedelta(seconds=1))[0][call.id].price_status == "list"
    assert settled(book, [call], known_at=learned)[0][call.id].price_status == "allowance"
    assert settled(book, [call])[0][call.id].price_status == "allowance"


def test_a_correction_replaces_the_row_of_its_id_from_when_it_is_known() -> None:
    learned = START + timedelta(seconds=10)
    wrong = an_allowance(100)
    right = an_allowance(30, recorded_at=learned, match=Match("equals", "m"))
    book = a_book(wrong, right, public=[row(), row("other")])
    calls = [
        a_call(0, input_tokens=20),
        a_call(1, input_tokens=20),
        a_call(2, model="other", input_tokens=20),
    ]
    before, _ = settled(book, calls, known_at=START)
    assert [before[call.id].cost_picos for call in calls] == [0, 0, 0]
    now, balances = settled(book, calls)
    assert [now[call.id].cost_picos for call in calls] == [0, 10 * MILLION, 20 * MILLION]
    assert [balance.left for balance in balances] == [0]


def test_calls_out_of_order_are_refused() -> None:
    balances = Balances(a_book(an_allowance(1)))
    balances.take(a_call(1))
    with pytest.raises(ValueError, match="comes after"):
        balances.take(a_call(0))


def test_what_is_left_hangs_together_with_earlier_periods() -> None:
    daily = an_allowance(1, "free", every="day")
    pack = an_allowance(1, "pack", valid_from=START, valid_to=START + timedelta(days=60))
    before = an_allowance(
        1, "before", valid_from=START - timedelta(days=9), valid_to=START + timedelta(days=1)
    )
    moment = START + timedelta(days=30, hours=5)
    assert Allowances([daily]).counting_from("v", moment) == START + timedelta(days=30)
    assert Allowances([daily, pack]).counting_from("v", moment) == START
    assert Allowances([daily, pack, before]).counting_from("v", moment) == START - timedelta(days=9)
    assert Allowances([an_allowance(1), daily]).counting_from("v", moment) == BEGINNING
    assert Allowances([daily]).counting_from("v", BEGINNING) == BEGINNING
    assert Allowances([pack]).counting_from("other", moment) == moment

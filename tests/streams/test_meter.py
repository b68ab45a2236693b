"""The meter's step: what comes out for good and for bad input."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.meter import MAX_REJECTIONS, Meter, split_lines
from tests.streams.making import (
    INPUT_PICOS,
    NOW,
    OUTPUT_PICOS,
    REPORTED_AT_MS,
    FlatBook,
    a_line,
    an_event,
    step,
)
from tokenweir.money import decimal_from_picos
from tokenweir.pricing import Price, PriceBook
from tokenweir.pricing.contracts import Contracts, Discount
from tokenweir.pricing.exchange import ExchangeRates, reference_rates
from tokenweir.pricing.matching import Match
from tokenweir.pricing.price import Rate, RateCard
from tokenweir.usage import MeteredEvent, Rejection, UsageEvent
from tokenweir.usage.version import report_version
from tokenweir.usage.wire import encode_batch

CANARY = "Zebrafinch"
PROMPT = f"{CANARY} wrote: please sum up the merger of {CANARY} & Sons"


def metered(value: bytes) -> list[MeteredEvent]:
    return [MeteredEvent.model_validate_json(line) for line in value.splitlines()]


def only(rejections: list[Rejection]) -> Rejection:
    assert len(rejections) == 1, rejections
    return rejections[0]


def test_a_good_batch_comes_out_priced_and_whole() -> None:
    events = [an_event(number) for number in range(500)]
    output = step(encode_batch(events))
    assert output.event_count == 500
    assert not output.rejections
    for event, result in zip(events, metered(output.metered), strict=True):
        assert UsageEvent.model_validate(result.model_dump(include=set(UsageEvent.model_fields))) == event
        cost = event.input_tokens * INPUT_PICOS + event.output_tokens * OUTPUT_PICOS
        assert result.cost == result.list_cost == result.native_cost == decimal_from_picos(cost)
        assert sum(result.cost_parts.values()) == result.cost
        assert result.price_id == "flat"
        assert result.price_status == "list"
        assert result.metered_at == NOW
        assert result.version == report_version(event, REPORTED_AT_MS)


def test_an_event_without_a_price_has_no_cost_and_says_why() -> None:
    output = step(a_line(model="no-such-model"))
    (result,) = metered(output.metered)
    assert result.cost is None
    assert result.list_cost is None
    assert result.price_status == "unpriced"
    assert result.unpriced_reason == "no price is known"
    assert output.unpriced_count == 1
    assert b'"cost":' not in output.metered


def test_money_is_written_as_plain_digits() -> None:
    line = json.loads(step(a_line(input_tokens=1, output_tokens=0)).metered)
    assert line["cost"] == "0.0000025"
    assert line["fx_rate"] == "1"
    assert line["metered_at"] == "2026-11-23T12:00:30Z"


def test_the_real_price_book_fits() -> None:
    output = step(
        encode_batch([an_event(0, units={"images": Decimal(1)}), an_event(1, vendor="nobody")]),
        meter=Meter(PriceBook.default()),
    )
    assert output.event_count == 2
    assert {result.price_status for result in metered(output.metered)} <= {"list", "unpriced"}


CONTRACTS = Contracts(
    [
        Price(
            price_id="acme:mini",
            vendor="openai",
            match=Match("equals", "gpt-4o-mini"),
            cards=(RateCard((("input", Rate(10**11, 10**6)), ("output", Rate(3 * 10**11, 10**6)))),),
            currency="CNY",
            recorded_at=NOW - timedelta(days=9),
            source="test",
        )
    ],
    [Discount("acme:off", "openai", None, (7, 8), NOW - timedelta(days=9), "test")],
)


def test_contracts_are_written_the_same_in_groups_and_one_by_one() -> None:
    class OneByOne(PriceBook):
        def price_group(self, *_: Any) -> None:
            """Prices only call by call."""

    models = ("gpt-4o", "gpt-4o-mini", "nothing", "gpt-4.1")
    message = encode_batch(
        [
            an_event(number, model=models[number % 4], cache_read_tokens=100 * (number % 3))
            for number in range(60)
        ]
        + [an_event(99, input_tokens=900_000_000, model="gpt-4o")]
    )
    sources = PriceBook.default().sources
    rates = ExchangeRates(reference_rates())
    together, apart = (
        step(message, meter=Meter(book(sources, rates, CONTRACTS))) for book in (PriceBook, OneByOne)
    )
    assert together == apart
    discounted, committed, unpriced, *_ = metered(together.metered)
    assert discounted.list_cost is not None
    assert discounted.cost == discounted.list_cost * 7 / 8
    assert (committed.currency, committed.price_status) == ("CNY", "contract")
    assert committed.list_cost == Decimal("0.00020265")
    assert (unpriced.cost, unpriced.list_cost) == (None, None)


def test_the_same_message_gives_the_same_output() -> None:
    value = encode_batch([an_event(number) for number in range(20)]) + b"\nnonsense"
    assert step(value) == step(value)


def test_times_come_out_in_utc() -> None:
    line = a_line().replace(b"2026-11-23T12:00:30Z", b"2026-11-23T14:00:30+02:00")
    assert b"+02:00" in line
    assert json.loads(step(line).metered)["time"] == "2026-11-23T12:00:30Z"


BAD_LINES: dict[str, tuple[bytes, str, str]] = {
    "invalid JSON": (b'{"id": "a", "prompt": "' + PROMPT.encode(), "invalid_json", ""),
    "no JSON at all": (PROMPT.encode(), "invalid_json", ""),
    "trailing comma": (a_line() + b",", "invalid_json", ""),
    "two objects on a line": (a_line(1) + a_line(2), "invalid_json", ""),
    "invalid UTF-8": (a_line().replace(b"search", b"se\xffrch"), "invalid_json", ""),
    "a wrong type": (
        a_line().replace(b'"input_tokens":1000', b'"input_tokens":"1000"'),
        "wrong_type",
        "input_tokens",
    ),
    "a fraction of a token": (a_line().replace(b":1000,", b":1000.5,"), "wrong_type", "input_tokens"),
    "a text where an object belongs": (a_line()[:-1] + b',"tags":"x"}', "wrong_type", "tags"),
    "a negative count": (a_line().replace(b":1000,", b":-1000,"), "out_of_range", "input_tokens"),
    "an absurd count": (a_line().replace(b":1000,", b":99000000000000,"), "out_of_range", "input_tokens"),
    "a count beyond 64 bits": (a_line().replace(b":1000,", b":" + b"9" * 300 + b","), "", "input_tokens"),
    "subsets above their total": (a_line()[:-1] + b',"reasoning_tokens":101}', "subset_exceeds_total", ""),
    "the future": (a_line(time=NOW + timedelta(days=2)), "implausible_time", "time"),
    "1970": (a_line().replace(b"2026-11-23T12", b"1970-01-01T12"), "implausible_time", "time"),
    "the first day of the calendar, east of UTC": (
        a_line().replace(b"2026-11-23T12:00:30Z", b"0001-01-01T00:00:00+14:00"),
        "implausible_time",
        "time",
    ),
    "the last day of the calendar, west of UTC": (
        a_line().replace(b"2026-11-23T12:00:30Z", b"9999-12-31T23:59:59-12:00"),
        "implausible_time",
        "time",
    ),
    "a time without zone": (a_line().replace(b"30Z", b"30"), "implausible_time", "time"),
    "an unknown field": (a_line()[:-1] + b',"prompt":"' + PROMPT.encode() + b'"}', "unknown_field", "prompt"),
    "a metering field": (a_line()[:-1] + b',"cost":"0"}', "unknown_field", "cost"),
    "an empty metering field": (a_line()[:-1] + b',"cost":null}', "unknown_field", "cost"),
    "a version of its own": (a_line()[:-1] + b',"version":18446744073709551615}', "unknown_field", "version"),
    "a missing field": (a_line().replace(b'"vendor":"openai",', b""), "missing_field", "vendor"),
    "a line of 20 MB": (
        a_line()[:-1] + b',"user":"' + b"x" * 20_000_000 + b'"}',
        "too_large",
        "",
    ),
    "a million tags": (
        a_line()[:-1] + b',"tags":{' + b",".join(b'"k%d":"v"' % n for n in range(1_000_000)) + b"}}",
        "too_large",
        "",
    ),
    "a thousand tags": (
        a_line()[:-1] + b',"tags":{' + b",".join(b'"k%d":"v"' % n for n in range(1_000)) + b"}}",
        "too_many_tags",
        "tags",
    ),
    "an escaped NUL": (a_line().replace(b"search", b"se\\u0000rch"), "control_character", "team"),
    "a NUL byte": (a_line().replace(b"search", b"se\x00rch"), "invalid_json", ""),
    "an escaped line feed": (a_line().replace(b"search", b"se\\nrch"), "control_character", "team"),
    "a DEL": (a_line().replace(b"search", b"se\x7frch"), "control_character", "team"),
    "an array": (b"[" + a_line(1) + b"," + a_line(2) + b"]", "wrong_type", ""),
    "a number": (b"12", "wrong_type", ""),
    "null": (b"null", "wrong_type", ""),
    "half a surrogate pair": (a_line().replace(b"search", b"\\ud800"), "invalid_json", ""),
    "arrays within arrays": (a_line()[:-1] + b',"tags":' + b"[" * 30_000 + b"}", "", ""),
    "objects within objects": (b'{"a":' * 10_000, "invalid_json", ""),
    "NaN": (a_line().replace(b"812.5", b"NaN"), "out_of_range", "duration_ms"),
    "an endless amount": (a_line()[:-1] + b',"units":{"gb":"Infinity"}}', "out_of_range", "units"),
    "an amount below zero": (a_line()[:-1] + b',"reported_cost":"-1"}', "out_of_range", "reported_cost"),
    "a currency too long": (
        a_line()[:-1] + b',"reported_currency":"DOLLAR"}',
        "out_of_range",
        "reported_currency",
    ),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_costs_that_line(name: str) -> None:
    bad, reason, field = BAD_LINES[name]
    output = step(b"\n".join([a_line(1), bad, a_line(2)]))
    assert [event.id for event in metered(output.metered)] == [an_event(1).id, an_event(2).id]
    assert output.refused_lines == 1
    rejection = only(output.rejections)
    assert rejection.reason == reason or not reason
    assert rejection.field == field or not field
    assert rejection.line == 1
    assert rejection.id == f"tokenweir.usage/3/42/1@{REPORTED_AT_MS}"
    assert (rejection.topic, rejection.partition, rejection.offset) == ("tokenweir.usage", 3, 42)
    assert rejection.size_bytes == len(bad)
    assert len(rejection.payload.encode()) <= 64 * 1024
    assert rejection.detail
    assert CANARY not in rejection.model_dump_json()
    assert Rejection.model_validate_json(rejection.model_dump_json()) == rejection


@pytest.mark.parametrize("value", [None, b"", b"\n", b"\r\n \n"])
def test_an_empty_batch_is_refused_whole(value: bytes | None) -> None:
    output = step(value)
    rejection = only(output.rejections)
    assert rejection.reason == "empty_batch"
    assert rejection.line == -1
    assert not output.metered
    assert not output.windows


@pytest.mark.parametrize("version", [b"2", b"", b"\xff\xfe", PROMPT.encode()])
def test_another_schema_version_is_refused_whole(version: bytes) -> None:
    output = step(a_line(), headers=[("tokenweir-schema", version)])
    rejection = only(output.rejections)
    assert rejection.reason == "wrong_schema_version"
    assert not output.metered
    assert CANARY not in rejection.model_dump_json()


@pytest.mark.parametrize("headers", [None, [], [("other", b"x")], [("tokenweir-schema", None)]])
def test_without_a_stated_version_it_is_read(headers: Any) -> None:
    assert step(a_line(), headers=headers).event_count == 1


def test_of_a_field_given_twice_the_last_counts() -> None:
    line = a_line()[:-1] + b',"team":"other"}'
    (event,) = metered(step(line).metered)
    assert event.team == "other"


def test_blank_lines_and_carriage_returns_are_passed_over() -> None:
    output = step(b"\n\n" + a_line(1) + b"\r\n   \n" + a_line(2) + b"\n")
    assert output.event_count == 2
    assert not output.rejections


def test_escapes_that_stand_for_no_control_character_are_fine() -> None:
    line = a_line().replace(b"search", b'\\u4e2d\\u6587 \\"a\\\\n\\"')
    output = step(line)
    assert not output.rejections
    assert metered(output.metered)[0].team == '中文 "a\\n"'


def test_a_flood_of_bad_lines_is_counted_not_kept_one_by_one() -> None:
    output = step(b"x\n" * (MAX_REJECTIONS + 500) + a_line(1))
    assert output.event_count == 1
    assert output.refused_lines == MAX_REJECTIONS + 500
    assert len(output.rejections) == MAX_REJECTIONS + 1
    assert "500 further lines" in output.rejections[-1].detail


def test_a_rejections_id_is_the_same_at_redelivery_and_its_own() -> None:
    value = b"x\ny\n" + a_line()
    first, again = step(value), step(value, now=NOW + timedelta(hours=1))
    assert [one.id for one in first.rejections] == [one.id for one in again.rejections]
    assert len({one.id for one in first.rejections}) == 2


@given(st.binary(max_size=300))
def test_no_bytes_break_the_meter(value: bytes) -> None:
    output = step(value)
    assert output.event_count == 0 or output.metered


@given(st.lists(st.sampled_from([a_line(1), a_line(2), b"x", b"{}", b"[]", a_line() + a_line()]), max_size=8))
def test_every_line_is_metered_or_refused(lines: list[bytes]) -> None:
    output = step(b"\n".join(lines))
    assert output.event_count + output.refused_lines == max(len(lines), 1)
    assert len(metered(output.metered)) == output.event_count


@given(
    st.lists(st.binary(min_size=1, max_size=9).map(lambda one: one.replace(b"\n", b"_"))), st.integers(1, 30)
)
def test_a_value_is_cut_between_lines(lines: list[bytes], limit: int) -> None:
    value = b"\n".join(lines)
    pieces = split_lines(value, limit)
    assert b"\n".join(pieces) == value
    assert all(len(piece) <= limit or b"\n" not in piece for piece in pieces)


def test_a_book_that_fails_is_not_swallowed() -> None:
    class BrokenBook(FlatBook):
        def price(self, event: Any) -> Any:
            raise ZeroDivisionError(event.id)

    with pytest.raises(ZeroDivisionError):
        step(a_line(), meter=Meter(BrokenBook()))

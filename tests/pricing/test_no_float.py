"""No float in the money: none is written in the source, and none comes into what the pricing path makes."""

import ast
import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from float_finder import floats_in
from pricing_events import NOVEMBER, event, row

import tokenweir.pricing
from benchmarks.workload import usage_message
from streams.meter import Meter
from tokenweir.errors import WrongCall
from tokenweir.pricing import PriceBook, priced_fields
from tokenweir.pricing.calculation import PreparedPrice
from tokenweir.pricing.compiled_book import compiled, opened
from tokenweir.pricing.exchange import rate_picos
from tokenweir.pricing.genai_feed import GenaiFeed
from tokenweir.pricing.overlay import read_overlay
from tokenweir.pricing.own_data import own_data
from tokenweir.pricing.price import Rate, RateCard
from tokenweir.pricing.recorded import append, recording
from tokenweir.pricing.sources import RowSource, SourceByVendor
from tokenweir.pricing.toml_tables import document_of
from tokenweir.usage.reading import read_event_line
from tokenweir.usage.wire import HEADERS

NO_AMOUNTS = {("known_names.py", "_NEAR"), ("known_names.py", "_NEAR_ELSEWHERE")}
"""How alike two names are, as difflib takes it."""

COMPANY = """
name = "acme"
recorded_at = 2025-09-01

[[price]]
vendor = "azure"
models = ["prod-gpt"]
currency = "USD"
input = 2.2
cache_read = 0.55
output = 8.8
units = { web_searches = { price = 9.5, per = 1000, steps = [{ above = 1000, price = 7.25 }] }, images = 0.04 }
source = "order form"

[[price.tiers]]
input_above = 200000
input = 4.4
units = { images = 0.08 }

[[price]]
vendor = "azure"
models = ["prod-gpt"]
service_tier = "batch"
factor = 0.5
source = "order form"

[[price]]
vendor = "alibaba"
models = ["house-qwen"]
currency = "CNY"
input = 0.8
output = 2.25
hours = { utc_offset_minutes = 480, windows = ["00:30-08:30"] }
source = "order form"

[[self_hosted]]
vendor = "vllm"
models = ["house-70b"]
currency = "USD"
per_gpu_hour = 2.49
gpus = 4
tokens_per_hour = { input = 21000000, output = 4000000 }
weights = { output = 5.5 }
source = "invoice"

[[discount]]
vendor = "openai"
percent = 12.5
source = "order form"

[[discount]]
vendor = "anthropic"
factor = 0.875
source = "order form"

[[alias]]
vendor = "azure"
names = ["pointer"]
means = "prod-gpt"
source = "deployments"

[[allowance]]
id = "pack"
vendor = "google"
models = ["gemini-2.5-flash"]
amount = 1500
counts = { input = 1, cache_read = 0.2 }
factors = { "gemini-2.5-*" = 1.5 }
source = "order form"

[[exchange_rate]]
currency = "CNY"
usd_per_unit = 0.1397
valid_from = 2023-01-01
source = "treasury"
"""

CALLS = (
    b'"vendor":"openai","model":"gpt-4o","cache_read_tokens":100',
    b'"vendor":"openai","model":"gpt-4o-audio-preview","units":{"cache_read_audio_tokens":3}',
    b'"vendor":"openai","model":"whisper-1","input_tokens":0,"output_tokens":0,"units":{"audio_seconds":12.345}',
    b'"vendor":"anthropic","model":"claude-sonnet-4-5","cache_write_tokens":50,"cache_write_1h_tokens":20',
    b'"vendor":"azure","model":"pointer","units":{"web_searches":1500.5,"images":0.25}',
    b'"vendor":"azure","model":"prod-gpt","service_tier":"batch"',
    b'"vendor":"vllm","model":"house-70b"',
    b'"vendor":"alibaba","model":"house-qwen","region":"cn-beijing"',
    b'"vendor":"alibaba","model":"qwen-plus","region":"cn-beijing"',
    b'"vendor":"google","model":"gemini-2.5-flash"',
    b'"vendor":"nobody","model":"unknown","reported_cost":0.0123456789012345678,"reported_currency":"CNY"',
    b'"vendor":"nobody","model":"unknown"',
)


@pytest.fixture
def company_book(tmp_path: Path) -> PriceBook:
    """The default book with a recorded update and a company's file with every kind of table."""
    (tmp_path / "acme.toml").write_text(COMPANY)
    update = """
recorded_at = 2026-11-02
previous = ""
[[price]]
vendor = "mistral"
models = ["later"]
currency = "EUR"
input = 0.35
source = "a page"
"""
    with recording(tmp_path / "recorded") as recorded:
        append(tmp_path / "recorded", recorded, datetime(2026, 11, 2, tzinfo=UTC), update)
    return PriceBook.default(tmp_path / "acme.toml", tmp_path / "recorded")


def test_the_finder_sees_a_float_wherever_it_is() -> None:
    rate = Rate(0.5, 1_000_000)  # type: ignore[arg-type]
    price = row(card=RateCard((("input", rate),)))
    assert floats_in(price) == [".cards[0].rates[0][1].picos"]
    assert floats_in(PreparedPrice(price))
    assert floats_in(PriceBook([RowSource([price])]))
    assert floats_in(replace(row(), factor=(1, 2.0)))  # type: ignore[arg-type]
    assert sorted(floats_in({1.5: {frozenset({2.5})}})) == [" key 1.5", "[1.5][0][0]"]
    assert floats_in([row(), Decimal("0.5"), NOVEMBER]) == []


def test_no_row_holds_a_float_from_its_source_or_compiled(company_book: PriceBook) -> None:
    sources: list[tuple[SourceByVendor, bool]] = [(GenaiFeed(), True), (own_data(), False)]
    for source, again in zip(sources, opened(compiled(sources, "x"), "x"), strict=True):
        for each in (source[0], again):
            rows = list(each.rows())
            assert len(rows) > 500
            assert floats_in(rows) == []
    assert floats_in(list(company_book.rows())) == []
    assert floats_in(read_overlay(COMPANY, "acme.toml")) == [], "with the tables as they were read"


def test_no_answer_and_nothing_kept_for_answers_holds_a_float(company_book: PriceBook) -> None:
    statuses = set()
    for call in CALLS:
        line = (
            b'{"id":"a:1","source":"sdk","time":"2025-11-01T20:00:00Z","input_tokens":300000,"output_tokens":500,'
            + call
            + b"}"
        )
        # A member that the call states itself comes later and holds.
        asked = read_event_line(line, now=NOVEMBER.replace(year=2026))
        assert floats_in([asked.units, asked.reported_cost]) == []
        for known_at in (None, NOVEMBER):
            priced = company_book.price(asked, known_at=known_at)
            statuses.add(priced.price_status)
            assert floats_in([priced, priced_fields(priced), company_book.native_parts(asked)]) == []
    assert statuses == {"list", "contract", "reported", "unpriced"}
    assert floats_in(company_book) == []


def test_no_float_is_in_what_the_meter_adds(company_book: PriceBook) -> None:
    meter = Meter(company_book)
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    found: set[str] = set()
    for number in range(12):
        output = meter.step(
            usage_message(number, now).value,
            headers=HEADERS,
            topic="usage",
            partition=0,
            offset=number,
            reported_at_ms=1_795_435_200_000,
            now=now,
        )
        for line in output.metered.splitlines():
            metered = json.loads(line)
            assert "price_status" in metered
            found.update(floats_in(metered))
    # Of a call itself these are measured in fractions of a millisecond; they are no money.
    assert found == {"['duration_ms']", "['ttft_ms']"}
    assert floats_in(company_book) == []


def _amounts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        if isinstance(inner, Decimal):
            yield (*path, key)
        yield from _amounts(inner, (*path, key))


AMOUNTS = list(_amounts(document_of(COMPANY, "acme.toml")))


@pytest.mark.parametrize("path", AMOUNTS, ids=lambda path: ".".join(map(str, path)))
def test_a_float_in_a_price_file_is_refused_wherever_it_stands(
    path: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it would be if a file were read without saying what its numbers are to become."""
    document = deepcopy(document_of(COMPANY, "acme.toml"))
    *outer, last = path
    table = document
    for key in outer:
        table = table[key]
    table[last] = float(table[last])
    monkeypatch.setattr("tokenweir.pricing.overlay.document_of", lambda text, file: document)
    with pytest.raises((WrongCall, TypeError)):
        read_overlay(COMPANY, "acme.toml")


def test_every_decimal_of_the_file_is_tried() -> None:
    assert len(AMOUNTS) == len(re.findall(r"= \d+\.\d", COMPANY)) > 15


def test_a_float_is_refused_where_amounts_come_in() -> None:
    with pytest.raises(TypeError, match="float"):
        rate_picos(0.5, "treasury")  # type: ignore[arg-type]
    book = PriceBook([RowSource([row()])])
    call = event("v", "m", units={"images": Decimal(1)})
    for changed in (
        call.model_copy(update={"units": {"images": 0.5}}),
        call.model_copy(update={"units": {"input_video_tokens": 1.0}}),
        call.model_copy(update={"model": "unknown", "reported_cost": 0.5, "reported_currency": "USD"}),
    ):
        with pytest.raises(TypeError, match="float"):
            book.price(changed)


def test_no_float_is_written_anywhere_in_the_package() -> None:
    """No float literal, no true division, and `float` only where it is refused."""
    for path in sorted(Path(tokenweir.pricing.__file__).parent.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        refusals = {
            id(argument)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance"
            for argument in node.args
        }
        no_amounts = {
            id(node.value)
            for node in tree.body
            if isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and (path.name, node.target.id) in NO_AMOUNTS
        }
        for node in ast.walk(tree):
            place = (path.name, getattr(node, "lineno", 0))
            is_float = isinstance(node, ast.Constant) and isinstance(node.value, float)
            assert not is_float or id(node) in no_amounts, place
            assert not (isinstance(node, ast.BinOp) and _makes_a_float(node)), place
            assert not (isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Div)), place
            if isinstance(node, ast.Name) and node.id == "float":
                assert id(node) in refusals, place


def _makes_a_float(operation: ast.BinOp) -> bool:
    """Whether it is a division of numbers: not of a path by a text, nor by a Decimal, which refuses floats."""
    if not isinstance(operation.op, ast.Div):
        return False
    divisor = operation.right
    is_text = isinstance(divisor, ast.JoinedStr) or (
        isinstance(divisor, ast.Constant) and isinstance(divisor.value, str)
    )
    is_decimal = (
        isinstance(divisor, ast.Call) and isinstance(divisor.func, ast.Name) and divisor.func.id == "Decimal"
    )
    return not (is_text or is_decimal)

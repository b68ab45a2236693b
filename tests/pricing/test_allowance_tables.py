"""`[[allowance]]` tables: what they come to, and that a mistake is refused with its line, the reason and the fix."""

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from tokenweir.errors import WrongCall
from tokenweir.pricing import PriceBook
from tokenweir.pricing.allowance_counts import EVERY_TOKEN_ONCE
from tokenweir.pricing.matching import Match
from tokenweir.pricing.overlay import read_overlay

FULL = """\
recorded_at = 2025-10-01

[[allowance]]
id = "zhipu-4711"
vendor = "zhipu"
models = ["glm-4.5", "glm-4.6*"]
amount = 10_000_000
counts = { input = 1, output = 2.5, cache_read = "0.1" }
factors = { "glm-4.6*" = 2, "glm-4.6v" = { input = 1.5, output = 3 } }
every = "month"
zone = "Asia/Shanghai"
per = ["tenant", "api_key"]
where = { tenant = ["acme", "zeta"], project = "x" }
service_tiers = ["default"]
regions = ["cn-*"]
valid_from = 2025-10-01
valid_to = 2026-10-01
source = "order 4711"
"""

SHORT = """\
recorded_at = 2025-10-01
[[allowance]]
vendor = "openai"
amount = 250000
source = "data sharing"
"""


def test_every_field_is_read() -> None:
    (allowance,) = read_overlay(FULL, "acme.toml").contracts.allowances
    assert (allowance.allowance_id, allowance.vendor, allowance.amount) == ("zhipu-4711", "zhipu", 10_000_000)
    assert allowance.weights == {
        "input": Fraction(1),
        "output": Fraction(5, 2),
        "cache_read": Fraction(1, 10),
    }
    assert allowance.factors == (
        (Match("equals", "glm-4.6v"), {"input": Fraction(3, 2), "output": Fraction(3)}),
        (Match("starts_with", "glm-4.6"), Fraction(2)),
    )
    assert (allowance.every, allowance.zone) == ("month", "Asia/Shanghai")
    assert allowance.account_fields == ("tenant", "api_key")
    assert allowance.where == (("tenant", ("acme", "zeta")), ("project", ("x",)))
    assert (allowance.service_tiers, allowance.regions) == (("standard",), ("cn-*",))
    assert allowance.valid_to == datetime(2026, 10, 1, tzinfo=UTC)
    assert allowance.recorded_at == datetime(2025, 10, 1, tzinfo=UTC)


def test_what_is_left_out_has_its_usual_value() -> None:
    (allowance,) = read_overlay(SHORT, "acme.toml").contracts.allowances
    assert allowance.allowance_id == "acme:openai/*"
    assert allowance.match is None
    assert allowance.weights == EVERY_TOKEN_ONCE
    assert (allowance.every, allowance.account_fields, allowance.where) == ("once", ("tenant",), ())


MISTAKES = {
    "unknown key": ("amount =", "amonut =", 7, "unknown key amonut"),
    "no amount": ("amount = 10_000_000", "", 3, "amount None is not a whole number"),
    "part of a token": ("10_000_000", "0.5", 7, "is not a whole number"),
    "negative": ("10_000_000", "-5", 7, "is not a whole number from 0"),
    "any vendor": ('vendor = "zhipu"', 'vendor = "*"', 5, "of one vendor"),
    "weight of 0": ("input = 1, output", "input = 0, output", 8, "input is 0"),
    "negative weight": ("output = 2.5", "output = -2.5", 8, "output -2.5 is negative"),
    "counts nothing": ('{ input = 1, output = 2.5, cache_read = "0.1" }', "{}", 8, "counts is a table"),
    "part of what is not counted": ("input = 1, output", "output", 8, "part of input, which is not counted"),
    "same tokens": (
        'cache_read = "0.1"',
        "cache_read = 0.1, input_audio = 1",
        8,
        "may be the same tokens",
    ),
    "field for kind": (
        'cache_read = "0.1"',
        "cache_read_tokens = 1",
        8,
        "unknown kind cache_read_tokens",
    ),
    "requests and tokens": ('cache_read = "0.1"', "requests = 1", 8, "covers the whole call"),
    "inner unit": ('cache_read = "0.1"', "input_audio_seconds = 1", 8, "is part of audio_seconds"),
    "other spelling": ('cache_read = "0.1"', "pages = 1", 8, "is counted as document_pages"),
    "factor of another model": ('"glm-4.6v" = {', '"glm-5" = {', 9, "which the allowance is not for"),
    "factor of other models": ('"glm-4.6*" = 2', '"glm-5*" = 2', 9, "which the allowance is not for"),
    "factor of 0": ('"glm-4.6*" = 2', '"glm-4.6*" = 0', 9, "the factor of glm-4.6* is 0"),
    "unknown period": ('every = "month"', 'every = "week"', 10, "every 'week' is no period"),
    "unknown zone": ("Asia/Shanghai", "Asia/Shanghia", 11, "no zone 'Asia/Shanghia' is known"),
    "zone without period": ('every = "month"', "", 11, "a zone says nothing"),
    "unknown account": ('"api_key"]', '"account"]', 12, "account is no field of an account"),
    "unknown where": ("project =", "session =", 13, "session is no field of an account"),
    "where without values": ('project = "x"', "project = []", 13, "project is a list of names"),
    "ends first": ("valid_to = 2026-10-01", "valid_to = 2025-10-01", 17, "ends before it begins"),
    "no source": ('source = "order 4711"', "", 3, "source is missing"),
    "no known date": ("recorded_at = 2025-10-01", "", 3, "when the price became known"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_refused_with_its_place_reason_and_fix(name: str) -> None:
    good, bad, line, reason = MISTAKES[name]
    assert good in FULL
    with pytest.raises(WrongCall) as refused:
        read_overlay(FULL.replace(good, bad, 1), "acme.toml")
    assert f"acme.toml, line {line}" in refused.value.message
    assert reason in refused.value.message
    assert refused.value.hint


def test_two_of_one_id_may_not_hold_at_once_unless_one_corrects_the_other() -> None:
    second = SHORT.partition("\n")[2]
    with pytest.raises(WrongCall, match=r"line 6, row 2 \(openai\): overlaps row 1 on line 2"):
        read_overlay(SHORT + second, "acme.toml")
    assert "an id of its own" in _refusal(SHORT + second)
    read_overlay(SHORT + second + "recorded_at = 2025-11-01\n", "acme.toml")
    read_overlay(SHORT + second + 'id = "second"\n', "acme.toml")
    read_overlay(SHORT + "valid_to = 2026-01-01\n" + second + "valid_from = 2026-01-01\n", "acme.toml")


def _refusal(text: str) -> str:
    with pytest.raises(WrongCall) as refused:
        read_overlay(text, "acme.toml")
    return str(refused.value)


UNKNOWN = {
    "vendor": ('vendor = "openai"', 'vendor = "opnai"', "line 3", "unknown vendor opnai", "openai"),
    "model": (
        "amount",
        'models = ["gpt-4o", "gpt-4p"]\namount',
        "line 4",
        "a model gpt-4p of openai",
        "gpt-4o",
    ),
    "unit": (
        "amount",
        "counts = { web_serches = 1 }\namount",
        "line 4",
        "the unit web_serches",
        "web_searches",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_nobody_knows_is_refused_with_the_nearest_names(name: str, tmp_path: Path) -> None:
    good, bad, line, reason, nearest = UNKNOWN[name]
    path = tmp_path / "acme.toml"
    path.write_text(SHORT.replace(good, bad, 1), encoding="utf-8")
    with pytest.raises(WrongCall) as refused:
        PriceBook.default(path)
    assert line in refused.value.message
    assert reason in refused.value.message
    assert nearest in refused.value.hint

"""Names that mean another model, and names that nobody knows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pricing_events import NOVEMBER, event, per_million, row

from tokenweir.errors import WrongCall
from tokenweir.pricing import PriceBook
from tokenweir.pricing.aliases import Alias, Meaning, profile_model
from tokenweir.pricing.contracts import Contracts, Discount
from tokenweir.pricing.matching import Match
from tokenweir.pricing.overlay import read_overlay
from tokenweir.pricing.price import RateCard
from tokenweir.pricing.sources import RowSource

JANUARY = datetime(2025, 1, 1, tzinfo=UTC)
MOMENT = timedelta(seconds=1)
OLD = row("old", card=RateCard(per_million(input="1", output="1")))
NEW = row("new", card=RateCard(per_million(input="2", output="2")))
DOLLAR = 10**12


def an_alias(name: str, means: str, **fields: Any) -> Alias:
    defaults: dict[str, Any] = {
        "alias_id": f"acme:v/{name}",
        "vendor": "v",
        "match": Match("equals", name),
        "means_vendor": "v",
        "means_model": means,
        "recorded_at": JANUARY,
        "source": "test",
    }
    return Alias(**(defaults | fields))


def a_book(*aliases: Alias, **contracts: Any) -> PriceBook:
    return PriceBook([RowSource([OLD, NEW])], contracts=Contracts(aliases=aliases, **contracts))


def a_call(model: str, time: datetime = NOVEMBER, vendor: str = "v") -> Any:
    return event(vendor, model, time, input_tokens=1_000_000)


def from_file(text: str, tmp_path: Path) -> PriceBook:
    path = tmp_path / "acme.toml"
    path.write_text("recorded_at = 2025-01-01\n" + text, encoding="utf-8")
    return PriceBook.default(path)


def test_a_pointer_moves_on_its_date() -> None:
    book = a_book(
        an_alias("latest", "old", valid_to=NOVEMBER), an_alias("latest", "new", valid_from=NOVEMBER)
    )
    before, after = (book.price(a_call("Latest", time)) for time in (NOVEMBER - MOMENT, NOVEMBER))
    assert (before.cost_picos, after.cost_picos) == (DOLLAR, 2 * DOLLAR)
    assert (before.price_id, after.price_id) == ("acme:v/latest=test:old", "acme:v/latest=test:new")
    assert (after.price_status, after.list_cost_picos) == ("list", 2 * DOLLAR)


def test_an_alias_goes_before_a_price_of_its_name_and_is_followed_once() -> None:
    book = a_book(an_alias("old", "new"), an_alias("new", "old"))
    assert book.price(a_call("old")).cost_picos == 2 * DOLLAR
    assert book.price(a_call("new")).cost_picos == DOLLAR


def test_it_is_not_known_before_it_was_recorded() -> None:
    book = a_book(an_alias("latest", "old"), an_alias("latest", "new", recorded_at=NOVEMBER))
    assert book.price(a_call("latest")).cost_picos == 2 * DOLLAR
    assert book.price(a_call("latest"), known_at=NOVEMBER - MOMENT).cost_picos == DOLLAR
    assert book.price(a_call("latest"), known_at=JANUARY - MOMENT).price_status == "unpriced"


def test_a_name_goes_before_a_rule() -> None:
    ruled = an_alias("any", "old", match=Match("starts_with", "prod-"), recorded_at=NOVEMBER)
    book = a_book(an_alias("prod-chat", "new"), ruled)
    assert book.price(a_call("prod-chat")).cost_picos == 2 * DOLLAR
    assert book.price(a_call("prod-other")).cost_picos == DOLLAR


def test_a_name_of_another_vendors_model() -> None:
    book = a_book(an_alias("deployment", "new", vendor="w"))
    assert book.price(a_call("deployment", vendor="w")).cost_picos == 2 * DOLLAR
    assert book.price(a_call("deployment")).price_status == "unpriced"


def test_what_it_means_may_have_no_price_at_that_time() -> None:
    book = a_book(an_alias("latest", "none"))
    priced = book.price(a_call("latest"))
    assert priced.unpriced_reason == "no price of v/none (meant by v/latest)"


def test_a_committed_price_of_the_name_goes_before_that_of_what_it_means() -> None:
    of_meant = row("new", card=RateCard(per_million(input="1.5", output="1")), price_id="acme:new")
    of_name = row("latest", card=RateCard(per_million(input="1.2", output="1")), price_id="acme:latest")
    book = a_book(an_alias("latest", "new"), rows=[of_meant])
    priced = book.price(a_call("latest"))
    assert (priced.cost_picos, priced.list_cost_picos) == (DOLLAR * 15 // 10, 2 * DOLLAR)
    assert priced.price_id == "acme:v/latest=acme:new"
    priced = a_book(an_alias("latest", "new"), rows=[of_meant, of_name]).price(a_call("latest"))
    assert (priced.cost_picos, priced.list_cost_picos) == (DOLLAR * 12 // 10, 2 * DOLLAR)
    assert priced.price_id == "acme:latest"


def test_a_discount_is_by_who_sends_the_bill_and_by_either_name() -> None:
    def discount(vendor: str, model: str) -> Discount:
        return Discount("acme:off", vendor, Match("equals", model), (1, 2), JANUARY, "test")

    alias = an_alias("deployment", "new", vendor="w")
    for vendor, model, halved in (
        ("w", "new", True),
        ("w", "deployment", True),
        ("v", "new", False),
        ("w", "old", False),
    ):
        book = a_book(alias, discounts=[discount(vendor, model)])
        cost = book.price(a_call("deployment", vendor="w")).cost_picos
        assert cost == (DOLLAR if halved else 2 * DOLLAR), (vendor, model)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("us.anthropic.claude-x-v1:0", Meaning("aws", "anthropic.claude-x-v1:0", "bedrock:us.*")),
        ("APAC.amazon.nova-pro-v1:0", Meaning("aws", "amazon.nova-pro-v1:0", "bedrock:apac.*")),
        (
            "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-x",
            Meaning("aws", "anthropic.claude-x", "bedrock:eu.*"),
        ),
        (
            "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-x",
            Meaning("aws", "anthropic.claude-x", "bedrock:arn"),
        ),
        ("global.anthropic.claude-x", None),
        ("us-gov.anthropic.claude-x", None),
        ("anthropic.claude-x", None),
        ("us.claude", None),
    ],
)
def test_what_a_bedrock_profile_means(name: str, meant: Meaning | None) -> None:
    assert profile_model("aws", name) == meant
    assert profile_model("anthropic", name) is None


def test_a_profile_without_a_price_of_its_own_costs_what_its_model_costs(book: PriceBook) -> None:
    june = datetime(2026, 6, 1, tzinfo=UTC)
    model = "anthropic.claude-sonnet-4-5-20250929-v1:0"
    plain, listed, unlisted, worldwide = (
        book.price(event("aws", f"{prefix}{model}", june, input_tokens=1_000))
        for prefix in ("", "us.", "ca.", "global.")
    )
    assert plain.cost_picos == listed.cost_picos == unlisted.cost_picos == 3_300_000_000
    assert worldwide.cost_picos == 3_000_000_000
    assert listed.price_id == plain.price_id
    assert unlisted.price_id == f"bedrock:ca.*={plain.price_id}"


def test_a_tier_alone_is_no_price_of_its_own() -> None:
    half = row(
        vendor="aws",
        match=Match("contains", "amazon.x"),
        service_tier="batch",
        factor=(1, 2),
        factor_of=frozenset(["input"]),
        cards=(),
    )
    book = PriceBook([RowSource([row("amazon.x", vendor="aws"), half])])
    standard, batch = (
        book.price(event("aws", "ca.amazon.x", service_tier=tier, input_tokens=1_000_000))
        for tier in ("standard", "batch")
    )
    assert (standard.cost_picos, batch.cost_picos) == (DOLLAR, DOLLAR // 2)


def test_a_contract_for_the_model_holds_for_its_profiles() -> None:
    public = RowSource([row("amazon.x", vendor="aws")])
    half = Discount("acme:off", "aws", Match("equals", "amazon.x"), (1, 2), JANUARY, "test")
    discounted = PriceBook([public], contracts=Contracts(discounts=[half]))
    assert discounted.price(a_call("eu.amazon.x", vendor="aws")).cost_picos == DOLLAR // 2
    committed = row("amazon.x", vendor="aws", card=RateCard(per_million(input="0.7", output="1")))
    priced = PriceBook([public], contracts=Contracts([committed])).price(a_call("eu.amazon.x", vendor="aws"))
    assert (priced.cost_picos, priced.list_cost_picos) == (DOLLAR * 7 // 10, DOLLAR)
    unknown = PriceBook([RowSource([])]).price(a_call("eu.amazon.x", vendor="aws"))
    assert unknown.unpriced_reason == "no price of aws/eu.amazon.x"


ALIASES = """
name = "acme"
[[alias]]
vendor = "azure"
names = ["prod-gpt", "prod-gpt-*"]
means = "gpt-4o"
source = "deployments"

[[alias]]
vendor = "litellm"
match = { starts_with = "smart" }
means = { vendor = "anthropic", model = "claude-opus-4-6" }
valid_from = 2026-02-05
source = "router"
"""


def test_aliases_of_a_file(tmp_path: Path) -> None:
    book = from_file(ALIASES, tmp_path)
    deployment = book.price(a_call("Prod-GPT-eu", vendor="azure"))
    assert deployment.cost_picos == 2_500_000_000_000
    assert deployment.price_id == "acme:azure/prod-gpt=genai:azure/openai/gpt-4o"
    routed = book.price(a_call("smart-1", datetime(2026, 3, 1, tzinfo=UTC), "litellm"))
    assert routed.cost_picos == 10_000_000_000_000
    assert routed.price_id.startswith("acme:litellm/starts_with smart@2026-02-05=genai:anthropic/")
    assert book.price(a_call("smart-1", NOVEMBER, "litellm")).price_status == "unpriced"


def test_the_names_of_a_files_own_prices_are_known(tmp_path: Path) -> None:
    book = from_file(
        """
[[self_hosted]]
vendor = "vllm"
models = ["house-7b"]
currency = "USD"
per_gpu_hour = 3
tokens_per_hour = 1000000
source = "s"
[[alias]]
vendor = "vllm"
names = ["house-latest"]
means = "house-7b"
source = "s"
[[alias]]
vendor = "azure"
names = ["deployed"]
means = "gpt-4o"
source = "s"
[[discount]]
vendor = "azure"
models = ["deployed"]
percent = 10
source = "s"
""",
        tmp_path,
    )
    assert book.price(a_call("house-latest", vendor="vllm")).cost_picos == 3 * DOLLAR
    assert book.price(a_call("deployed", vendor="azure")).cost_picos == 2_250_000_000_000


UNKNOWN = {
    "an alias's model": (
        'vendor = "azure"\nnames = ["prod"]\nmeans = "gpt-4p"\n',
        "alias",
        5,
        "no source knows a model gpt-4p of azure",
        "gpt-4o",
    ),
    "an alias's vendor": (
        'vendor = "azure"\nnames = ["prod"]\nmeans = { vendor = "opnai", model = "gpt-4o" }\n',
        "alias",
        5,
        "unknown vendor opnai",
        "openai",
    ),
    "a discount's model": (
        'vendor = "openai"\nmodels = [\n"gpt-4o",\n"gtp-4o"]\npercent = 5\n',
        "discount",
        6,
        "no source knows a model gtp-4o of openai",
        "gpt-4o",
    ),
    "a discount's names": (
        'vendor = "*"\nmodels = ["cluade-*"]\npercent = 5\n',
        "discount",
        4,
        "no source knows a model cluade-$",
        "",
    ),
    "a discount's rule": (
        'vendor = "openai"\npercent = 5\nmatch = { contains = "no such model" }\n',
        "discount",
        5,
        "no source knows a model no such model of openai",
        "",
    ),
    "a discount's vendor": (
        'vendor = "antropic"\npercent = 5\n',
        "discount",
        3,
        "unknown vendor",
        "anthropic",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_name_that_nobody_knows_is_refused_with_the_nearest(name: str, tmp_path: Path) -> None:
    body, kind, line, reason, nearest = UNKNOWN[name]
    with pytest.raises(WrongCall) as refused:
        from_file(f'[[{kind}]]\n{body}source = "s"\n', tmp_path)
    assert f"acme.toml, line {line}, row 1" in refused.value.message
    assert reason.removesuffix("$") in refused.value.message
    assert nearest in refused.value.hint


MISTAKES = {
    "no meaning": ('means = "gpt-4o"\n', "", 3, "what the name means is not told"),
    "a meaning of two": ('means = "gpt-4o"', 'means = ["a", "b"]', 6, "what the name means is not told"),
    "an unknown key": ('means = "gpt-4o"', 'means = { name = "gpt-4o" }', 6, "unknown key name"),
    "no name": ('names = ["prod-gpt", "prod-gpt-*"]\n', "", 3, "names no models"),
    "models": ("names = [", "models = [", 5, "unknown key models"),
    "a currency": ('means = "gpt-4o"', 'means = "gpt-4o"\ncurrency = "USD"', 7, "a price has one currency"),
    "overlapping": ('match = { starts_with = "smart" }', 'names = ["smart"]', 0, ""),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_an_alias_is_refused(name: str) -> None:
    good, bad, line, reason = MISTAKES[name]
    assert good in ALIASES
    text = "recorded_at = 2025-01-01" + ALIASES.replace(good, bad)
    if not reason:
        text += '[[alias]]\nvendor = "litellm"\nnames = ["SMART"]\nmeans = "gpt-4o"\nsource = "s"\n'
        line, reason = 15, "overlaps row 2 on line 9, from 2026-02-05 on"
    with pytest.raises(WrongCall) as refused:
        read_overlay(text, "acme.toml")
    assert f"acme.toml, line {line}, row" in refused.value.message
    assert reason in refused.value.message
    assert refused.value.hint


def test_the_projects_own_data_holds_no_contracts() -> None:
    with pytest.raises(WrongCall, match="unknown key alias"):
        read_overlay("recorded_at = 2025-01-01" + ALIASES, "openai.toml", kind="public")

"""What a price row asks: rates of tokens and units, tiers, minimum charges. The form is told in docs/prices.md."""

from collections.abc import Mapping
from typing import Any, Final

from tokenweir.pricing.components import TOKEN_COMPONENTS, TOKENS_PER_RATE, UNIT_ALIASES
from tokenweir.pricing.price import Rate, RateCard, tokens_included
from tokenweir.pricing.toml_tables import Table

_CONDITIONS: Final = ("input_above", "output_above", "reasoning_above")
_TIER_KEYS: Final = frozenset((*_CONDITIONS, "tags", "units", *TOKEN_COMPONENTS))
_UNIT_KEYS: Final = frozenset(("price", "per", "minimum", "round_up_to", "steps"))
_TOKEN_KEYS: Final = frozenset(("price", "steps"))
_STEP_KEYS: Final = frozenset(("above", "price"))


def cards_of(row: Table) -> tuple[RateCard, ...]:
    """The rates of a row, and those of its tiers. Raises WrongCall with the line, the reason and the fix."""
    base = _rates(row, row.values)
    if not base:
        raise row.wrong(
            "input", "the row states no price", "add input, output or units; a free model states 0"
        )
    minimum = row.picos("minimum_charge", row.values.get("minimum_charge", 0))
    tiers = row.values.get("tiers", [])
    if not isinstance(tiers, list) or not all(isinstance(tier, dict) for tier in tiers):
        raise row.wrong("tiers", "tiers is a list of tables", "begin each with a line [[price.tiers]]")
    cards = [RateCard(tuple(base.items()), minimum_picos=minimum)]
    if "includes_tokens" in row.values:
        if row.values["includes_tokens"] is not True or tiers or not base.keys().isdisjoint(TOKEN_COMPONENTS):
            raise row.wrong(
                "includes_tokens",
                "includes_tokens = true says that units are billed and tokens are not",
                "keep units only, without rates of tokens or tiers",
            )
        return tokens_included(cards[0])
    for tier in tiers:
        row.refuse_unknown(tier, _TIER_KEYS)
        tags = _tags(row, tier)
        if not tags and not any(key in tier for key in _CONDITIONS):
            raise row.wrong(
                "tiers", "a tier does not say for which calls it is", "add input_above = 200000, or tags"
            )
        inputs, outputs, reasoning = (
            row.whole(key, tier[key], 0) if key in tier else -1 for key in _CONDITIONS
        )
        rates = {**base, **_rates(row, tier)}
        card = RateCard(
            tuple(rates.items()), inputs, outputs, reasoning, with_tags=tags, minimum_picos=minimum
        )
        before = [other.conditions for other in cards if other.with_tags == tags]
        if before and card.conditions <= before[-1]:
            raise row.wrong(
                "tiers", "the tiers do not ascend", "order them by " + ", then ".join(_CONDITIONS)
            )
        cards.append(card)
    return tuple(cards)


def _tags(row: Table, tier: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    tags = tier.get("tags", {})
    wanted = []
    for name, value in tags.items() if isinstance(tags, dict) else [("", None)]:
        values = value if isinstance(value, list) else [value]
        if not values or not all(isinstance(each, str) and each for each in values):
            raise row.wrong(
                name or "tags",
                "tags are texts by name",
                'write tags = { quality = "hd", size = ["512x512"] }',
            )
        wanted.append((name, tuple(values)))
    return tuple(sorted(wanted))


def _rates(row: Table, table: Mapping[str, Any]) -> dict[str, Rate]:
    rates = {name: _token_rate(row, name, value) for name, value in table.items() if name in TOKEN_COMPONENTS}
    units = table.get("units", {})
    if not isinstance(units, dict):
        raise row.wrong(
            "units", "units is a table", "write units = { web_searches = { price = 10, per = 1000 } }"
        )
    for name, entry in units.items():
        entry = entry if isinstance(entry, dict) else {"price": entry}
        row.refuse_unknown(entry, _UNIT_KEYS)
        if name in TOKEN_COMPONENTS:
            raise row.wrong(name, f"{name} counts tokens", "state it beside input and output")
        rates[UNIT_ALIASES.get(name) or name] = Rate(
            row.picos("price", entry.get("price")),
            row.whole("per", entry.get("per", 1), 1),
            row.whole("minimum", entry.get("minimum", 0), 0),
            _steps(row, entry),
            row.whole("round_up_to", entry.get("round_up_to", 1), 1),
        )
    return rates


def _token_rate(row: Table, name: str, value: object) -> Rate:
    if not isinstance(value, dict):
        return Rate(row.picos(name, value), TOKENS_PER_RATE)
    row.refuse_unknown(value, _TOKEN_KEYS)
    return Rate(row.picos("price", value.get("price")), TOKENS_PER_RATE, 0, _steps(row, value))


def _steps(row: Table, entry: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    steps = entry.get("steps", [])
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise row.wrong("steps", "steps is a list of tables", "write steps = [{ above = 1000, price = 8 }]")
    found: list[tuple[int, int]] = []
    for step in steps:
        row.refuse_unknown(step, _STEP_KEYS)
        above = row.whole("above", step.get("above"), 0)
        if found and above <= found[-1][0]:
            raise row.wrong("steps", "the steps do not ascend", "order them by above")
        found.append((above, row.picos("price", step.get("price"))))
    return tuple(found)

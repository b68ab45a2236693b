"""Price books of others, asked for the same events: genai-prices and model-prices.

Both count cached tokens their own way and know neither regions nor units; they are given what they ask for. What they
answer is held against KNOWN_RATES, on the models whose price nobody disputes.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

import model_prices
from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot

from tokenweir.money import picos_from_decimal
from tokenweir.pricing import PriceBook
from tokenweir.usage import UsageEvent

KNOWN_RATES: Final[Mapping[tuple[str, str], tuple[str, str, str]]] = {
    ("openai", "gpt-4o-mini-2024-07-18"): ("0.15", "0.075", "0.6"),
    ("openai", "gpt-5-mini"): ("0.25", "0.025", "2"),
    ("openai", "gpt-4.1"): ("2", "0.5", "8"),
    ("openai", "text-embedding-3-small"): ("0.02", "0.02", "0"),
    ("anthropic", "claude-sonnet-4-5"): ("3", "0.3", "15"),
    ("anthropic", "claude-haiku-4-5"): ("1", "0.1", "5"),
    ("google", "gemini-2.5-flash"): ("0.3", "0.03", "2.5"),
    ("google", "gemini-2.5-pro"): ("1.25", "0.125", "10"),
    ("groq", "llama-3.3-70b-versatile"): ("0.59", "0.59", "0.79"),
}
"""USD for a million tokens of input, cached input and output in November 2026, up to 200,000 tokens of input.

Those on which the sources agree: genai-prices 0.2.3 and, but for Groq, the history of models.dev that model-prices
0.0.5 keeps. Where they do not (Bedrock by region, Grok 4 since May 2026, Qwen in yuan), which is right is told by the
sources of a row (docs/prices.md), not here.
"""

_MILLION: Final = 10**6
_BATCH: Final = {"processing": "batch"}


class Book(NamedTuple):
    """A price book under its name.

    look_up: finds the price that holds for an event, None where there is none. price: reckons what it costs, in the
    book's own form, None where it cannot. picos: that form as USD picos.
    """

    name: str
    look_up: Callable[[UsageEvent], object | None]
    price: Callable[[UsageEvent], Any]
    picos: Callable[[Any], int | None]


class Answers(NamedTuple):
    """Of some events: how many a book priced, and of those whose cost is known how many it priced right and wrong."""

    events: int
    priced: int
    right: int
    wrong: int
    known: int

    def __str__(self) -> str:
        return (
            f"{self.priced} of {self.events} events priced; of {self.known} whose cost is known {self.right} right, "
            f"{self.wrong} wrong"
        )


def answers(book: Book, asked: Iterable[tuple[UsageEvent, int | None]]) -> Answers:
    """What a book makes of events, each given with its known cost in USD picos, None where that is not known."""
    events = priced = right = wrong = known = 0
    for event, known_cost in asked:
        answer = book.price(event)
        cost = None if answer is None else book.picos(answer)
        events += 1
        priced += cost is not None
        known += known_cost is not None
        if cost is not None and known_cost is not None:
            right += cost == known_cost
            wrong += cost != known_cost
    return Answers(events, priced, right, wrong, known)


def known_picos(event: UsageEvent) -> int | None:
    """What the event costs by KNOWN_RATES, in USD picos; None for a model that is not among them."""
    rates = KNOWN_RATES.get((event.vendor, event.model))
    if rates is None:
        return None
    per_input, per_cached, per_output = (picos_from_decimal(Decimal(rate)) for rate in rates)
    uncached = event.input_tokens - event.cache_read_tokens
    total = uncached * per_input + event.cache_read_tokens * per_cached + event.output_tokens * per_output
    whole, rest = divmod(total, _MILLION)
    if rest:
        raise ValueError(f"{event.model}: a known rate is no whole number of picos a token")
    return whole


def ours(book: PriceBook) -> Book:
    """Tokenweir's."""
    return Book(
        "tokenweir",
        lambda event: book.lookup(event.vendor, event.model, event.time, region=event.region),
        book.price,
        lambda priced: priced.cost_picos,
    )


def plain_cost(event: UsageEvent) -> str | None:
    """What genai-prices makes of an event, as text; None where it does not know the vendor or the model."""
    cost = _genai_price(event)
    return None if cost is None else str(cost)


def _genai_look_up(event: UsageEvent) -> object | None:
    try:
        _, model = get_snapshot().find_provider_model(event.model, None, event.vendor, None)
    except LookupError:
        return None
    return model.get_prices(event.time)


def _genai_price(event: UsageEvent) -> Decimal | None:
    try:
        calculated = calc_price(
            Usage(
                input_tokens=event.input_tokens,
                cache_read_tokens=event.cache_read_tokens or None,
                cache_write_tokens=event.cache_write_tokens or None,
                cache_write_1h_tokens=event.cache_write_1h_tokens or None,
                output_tokens=event.output_tokens,
                output_image_tokens=event.output_image_tokens or None,
            ),
            model_ref=event.model,
            provider_id=event.vendor,
            genai_request_timestamp=event.time,
            price_context=_BATCH if event.service_tier == "batch" else None,
        )
    except LookupError:
        return None
    return calculated.total_price


def _model_prices_price(event: UsageEvent) -> float | None:
    cost: float | None = model_prices.cost(
        event.model,
        input_tokens=event.input_tokens - event.cache_read_tokens - event.cache_write_tokens,
        cache_read_tokens=event.cache_read_tokens,
        cache_write_tokens=event.cache_write_tokens - event.cache_write_1h_tokens,
        cache_write_1h_tokens=event.cache_write_1h_tokens,
        output_tokens=event.output_tokens,
        at=event.time,
        provider=event.vendor,
        mode="batch" if event.service_tier == "batch" else None,
    )
    return cost


GENAI_PRICES: Final = Book("genai-prices", _genai_look_up, _genai_price, picos_from_decimal)
MODEL_PRICES: Final = Book(
    "model-prices",
    lambda event: model_prices.rates(event.model, event.time, event.vendor),
    _model_prices_price,
    # It reckons in floats; what it means is the nearest pico.
    lambda cost: picos_from_decimal(Decimal(repr(cost))),
)

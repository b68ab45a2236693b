"""The simulated company's own price file: what its story needs and no public price list knows.

A price cut is only real when the price book knows both prices. The public one holds from the cut on; this file
states a higher one for the time before. It also states the batch discount, whatever the public lists' first date.
An overlay in the form of `tokenweir.pricing`; amounts are made up.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from producers.simulation.models import MODELS

BATCH_FACTOR: Final = "0.5"


@dataclass(frozen=True, slots=True)
class RatesBefore:
    """What a model costs before its price cut, per million tokens in `currency`, as plain decimals."""

    currency: str
    input: str
    cache_read: str
    output: str


PRICES_BEFORE: Final[dict[str, RatesBefore]] = {
    "mistral/mistral-large-2512": RatesBefore("USD", "2", "0.2", "6"),
    "deepseek/deepseek-v4-flash": RatesBefore("USD", "0.8", "0.08", "2.4"),
    "google/gemini-3.5-flash-lite": RatesBefore("USD", "1", "0.1", "6"),
    "openai/gpt-6-luna": RatesBefore("USD", "0.6", "0.06", "2.4"),
    "volcengine/doubao-seed-1.8": RatesBefore("CNY", "4", "0.8", "20"),
}
"""By model: twice to five times the public price of autumn 2026."""


def price_file(
    *, cut_model: str | None, started_at: datetime, cut_at: datetime | None, batch_models: Iterable[str]
) -> str:
    """The file's text (TOML). `started_at` is the run's beginning, before which the public price holds again.

    cut_model and cut_at: None in a run without a price cut. batch_models: those called in the batch tier.
    """
    parts = ['name = "simulated"', f"recorded_at = {_toml(started_at)}", ""]
    for key in sorted(batch_models):
        parts += [*_row(key), 'service_tier = "batch"', f"factor = {BATCH_FACTOR}", ""]
    if cut_model is not None and cut_at is not None:
        rates = PRICES_BEFORE[cut_model]
        parts += [
            *_row(cut_model),
            f'currency = "{rates.currency}"',
            f"valid_from = {_toml(started_at)}",
            f"valid_to = {_toml(cut_at)}",
            f"input = {rates.input}",
            f"cache_read = {rates.cache_read}",
            f"output = {rates.output}",
            "",
        ]
    return "\n".join(parts)


def _row(key: str) -> list[str]:
    habits = MODELS[key]
    return [
        "[[price]]",
        f'vendor = "{habits.vendor}"',
        f'models = ["{habits.model}"]',
        'source = "simulated, no real price"',
    ]


def _toml(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"

"""The installed genai-prices as its project publishes it: the JSON that `weir prices update` takes."""

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import fields, is_dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any

from genai_prices.data import providers
from genai_prices.types import ModelPrice

Feed = list[dict[str, Any]]


def installed_feed() -> Feed:
    """The installed data, a dictionary for each provider; the caller's own to change."""
    return deepcopy(_plain(providers))  # type: ignore[no-any-return]


def model_of(feed: Feed, provider: str, model: str) -> dict[str, Any]:
    """One model of the feed."""
    models = next(each["models"] for each in feed if each["id"] == provider)
    return next(each for each in models if each["id"] == model)  # type: ignore[no-any-return]


def as_json(feed: Feed) -> str:
    """The feed as it is published, numbers as they are written."""
    return json.dumps(feed, default=_number)


class _Number(float):
    """A decimal that JSON shows to the digit."""

    def __new__(cls, amount: Decimal) -> "_Number":
        return super().__new__(cls, amount)

    def __init__(self, amount: Decimal) -> None:
        self._text = format(amount, "f")

    def __repr__(self) -> str:
        return self._text


def _number(value: object) -> object:
    raise TypeError(f"{value!r} is not JSON")


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return _Number(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, ModelPrice):
        value = vars(value)
    elif is_dataclass(value):
        value = {field.name.rstrip("_"): getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        kept = {key: item for key, item in value.items() if item is not None and not key.startswith("_")}
        return {key: _plain(item) for key, item in kept.items() if key != "extractors"}
    return value

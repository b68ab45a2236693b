"""What the catalog and the price book say of models, as rows, as fields, and in one plain sentence."""

from collections.abc import Sequence
from datetime import date, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from tokenweir.catalog import Catalog, Found, Model, Replacement
from tokenweir.errors import WrongCall
from tokenweir.money import decimal_string
from tokenweir.settings import Settings

if TYPE_CHECKING:
    from tokenweir.pricing import PriceBook

COLUMNS: Final = (
    "vendor",
    "model",
    "state",
    "released_on",
    "deprecated_on",
    "retires_on",
    "successors",
    "longest_input_tokens",
    "max_output_tokens",
    "seen_on",
)
FACTS: Final = (
    "family",
    "platform",
    "aliases",
    "context_tokens",
    "max_input_tokens",
    "max_output_tokens",
    "operations",
    "input",
    "output",
    "can",
    "cannot",
    "released_on",
    "deprecated_on",
    "retires_on",
    "retires_not_before",
)


class Asking:
    """What is asked of the catalog: of which vendor, for which day, by what was known when."""

    def __init__(
        self, catalog: Catalog, vendor: str | None, moment: datetime, known_at: datetime | None
    ) -> None:
        self.catalog = catalog
        self.vendor = vendor
        self.moment = moment
        self.on = moment.date()
        self.known_at = known_at
        self._book: PriceBook | None = None

    def search(self, name: str) -> list[Found]:
        """The models that `name` means, of each vendor that has it; `vendor/name` names the vendor, too."""
        vendors: Sequence[str] = self.catalog.vendors if self.vendor is None else (self.vendor,)
        found = [hit for each in vendors for hit in self._in_vendor(each, name)]
        front, slash, rest = name.partition("/")
        if not found and slash and self.vendor is None and front in self.catalog.vendors:
            found = self._in_vendor(front, rest)
        exact = [hit for hit in found if hit.how != "dated"]
        return exact or found

    def named(self, name: str) -> list[Found]:
        """As `search`. Raises WrongCall, with the nearest names, where there is none."""
        found = self.search(name)
        if not found:
            raise self.unknown(name)
        return found

    def unknown(self, name: str) -> WrongCall:
        """The error for a name that means nothing."""
        nearest = self.catalog.nearest(name, self.vendor)
        if any(written.lower() == name.lower() for _, written in nearest):
            return WrongCall(
                f"which model {name} means on {self.on} is not known",
                hint="It meant one on other days: name one with --on",
            )
        near = [f"{model} ({vendor})" for vendor, model in nearest]
        whose = f" of {self.vendor}" if self.vendor else ""
        return WrongCall(
            f"the catalog has no model {name}{whose}",
            hint="The nearest names are " + ", ".join(near) if near else "`weir models` lists all of them",
        )

    def all(self) -> list[Model]:
        """Every model of the vendor asked for."""
        return list(self.catalog.models(self.vendor, known_at=self.known_at))

    def row(self, model: Model) -> dict[str, Any]:
        """A line of the table."""
        row: dict[str, Any] = {column: getattr(model, column, None) for column in COLUMNS}
        where = f" ({model.platform})" if model.platform else ""
        return row | {
            "model": model.model + where,
            "state": model.state_on(self.on),
            "successors": ", ".join(successor.model for successor in model.successors) or None,
        }

    def fields(self, model: Model) -> dict[str, Any]:
        """Everything that is known of a model, for a program; what no source says is null or empty."""
        return {
            "vendor": model.vendor,
            "model": model.model,
            "state": model.state_on(self.on),
            **{name: plain(getattr(model, name)) for name in FACTS},
            "days_left": self._days_left(model),
            "successors": [
                {"vendor": s.vendor, "model": s.model, "recommended": s.recommended} for s in model.successors
            ],
            "recorded_at": model.recorded_at,
            "sources": {
                "state" if name == "stated" else name: {
                    "page": source.page,
                    "seen_on": source.seen_on.isoformat(),
                    "via": source.via,
                }
                for name, source in sorted(model.sources.items())
            },
        }

    def replacements(self, model: Model) -> tuple[Replacement, ...]:
        """What replaces it on the day asked for."""
        return self.catalog.successors(
            model.vendor, model.model, on=self.on, platform=model.platform, known_at=self.known_at
        )

    def sentence(self, model: Model) -> str:
        """Who goes, when, and what replaces it, at which price."""
        names = [self._named(each, model.vendor) for each in self.replacements(model)]
        use = f"use {' or '.join(names)} instead".replace("use perhaps ", "perhaps use ", 1)
        instead = use if names else "no source names a successor"
        return f"{self._priced(model.vendor, model.model, '')}{_at(model)} {self._fate(model)}; {instead}."

    def replacement_fields(self, model: Model) -> dict[str, Any]:
        """The sentence's parts, for a program."""
        return {
            "vendor": model.vendor,
            "model": model.model,
            "platform": model.platform,
            "state": model.state_on(self.on),
            "retires_on": plain(model.retires_on),
            "retires_not_before": plain(model.retires_not_before),
            "days_left": self._days_left(model),
            "list_price": self.list_price(model.vendor, model.model),
            "successors": [
                {
                    "vendor": each.successor.vendor,
                    "model": each.successor.model,
                    "recommended": each.successor.recommended,
                    "state": each.state,
                    "retires_on": plain(each.model.retires_on) if each.model is not None else None,
                    "through": list(each.through),
                    "list_price": self.list_price(each.successor.vendor, each.successor.model),
                }
                for each in self.replacements(model)
            ],
        }

    def list_price(self, vendor: str, model: str) -> dict[str, str] | None:
        """Price per million tokens of input and output by the price book; None where it has none."""
        if self._book is None:
            if find_spec("genai_prices") is None:
                return None
            from tokenweir.pricing import PriceBook

            settings = Settings()
            self._book = PriceBook.default(
                settings.pricing.overlay, settings.recorded_prices, cache_dir=settings.pricing.cache_dir
            )
        price = self._book.lookup(vendor, model, self.moment, known_at=self.known_at)
        if price is None or not price.cards:
            return None
        rates = {name: rate for name, rate in price.cards[0].rates if name in ("input", "output")}
        if not rates:
            return None
        return {
            "currency": price.currency,
            **{name: decimal_string(rate.picos) for name, rate in rates.items()},
        }

    def _in_vendor(self, vendor: str, name: str) -> list[Found]:
        found = self.catalog.find(vendor, name, on=self.on, known_at=self.known_at)
        if found is None:
            return []
        elsewhere = [
            model
            for model in self.catalog.models(vendor, known_at=self.known_at)
            if model.model == found.model.model and model.platform != found.model.platform
        ]
        return [found, *(Found(model, found.how) for model in elsewhere)]

    def _days_left(self, model: Model) -> int | None:
        return (model.retires_on - self.on).days if model.retires_on is not None else None

    def _named(self, replacement: Replacement, beside: str) -> str:
        successor, after = replacement.successor, replacement.model
        name = self._priced(successor.vendor, successor.model, beside)
        if after is not None and after.retires_on is not None:
            verb = "retires" if after.retires_on > self.on else "retired"
            name += f", which {verb} on {after.retires_on} itself"
        return name if successor.recommended else f"perhaps {name}"

    def _priced(self, vendor: str, model: str, beside: str) -> str:
        name = model if vendor == beside else f"{vendor} {model}"
        price = self.list_price(vendor, model)
        if price is None:
            return name
        sign = "$" if price["currency"] == "USD" else price["currency"] + " "
        parts = [f"{part} {sign}{price[part]}" for part in ("input", "output") if part in price]
        return f"{name} ({', '.join(parts)} a million tokens)"

    def _fate(self, model: Model) -> str:
        days = self._days_left(model)
        if days is not None and model.retires_on is not None:
            if days > 0:
                return f"retires on {model.retires_on}, in {days} day{'' if days == 1 else 's'}"
            if days == 0:
                return f"retires today, {model.retires_on}"
            return f"retired on {model.retires_on}, {-days} day{'' if days == -1 else 's'} ago"
        state = model.state_on(self.on)
        if model.retires_not_before is not None:
            return f"is {state} and retires on {model.retires_not_before} at the earliest"
        if state == "unknown":
            return "is in no state that a source tells for this day"
        return f"is {state}, " + (
            "on a day that is not known" if state == "retired" else "no last day is known"
        )


def _at(model: Model) -> str:
    return f" on {model.platform}" if model.platform else ""


def plain(value: object) -> Any:
    """A value as JSON can hold it: dates as text, tuples as lists."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)
    return value

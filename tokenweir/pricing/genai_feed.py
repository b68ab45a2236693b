"""The default feed: the whole of genai-prices (MIT), compiled into price rows of our own.

One row a model, service tier, period and daily window. A provider's models are compiled when the first of its names is
asked for. Three readings differ from genai-prices' own, because a price that is not known is not a price:
- a request in a tier for which the model lists nothing at that time has no row (genai-prices bills standard);
- a daily window listed after a start date holds from that date (there it holds for ever);
- the oldest price holds for earlier dates only because the feed gives it no date; its confidence is "undated".

Variants by anything but batch, service tier and speed (a route, a kind of search) are left out: no event says them.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tokenweir.money import picos_from_decimal
from tokenweir.pricing.components import REQUESTS, TOKENS_PER_RATE
from tokenweir.pricing.installed_feed import installed_feed
from tokenweir.pricing.matching import Match, match_from_clause
from tokenweir.pricing.offers import first_offer
from tokenweir.pricing.price import BEGINNING, END, STANDARD, Price, Rate, RateCard, tokens_included
from tokenweir.pricing.schedule import Schedule
from tokenweir.pricing.sources import GroupAtHand, VendorRows

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, PriceVariant, Provider

VENDOR_NAMES: Final = {
    "x-ai": "xai",
    "moonshotai": "moonshot",
    # Z.ai bills in USD what Zhipu's own platform bills in CNY; the feed's "zhipuai" is that CNY list converted at one
    # rate of its own, so it stays under its own name.
    "zai": "zhipu",
}
"""Our vendor name by genai-prices provider, where they differ."""

_TOKEN_KEYS: Final = {
    "input_mtok": "input",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "input_audio_mtok": "input_audio",
    "input_image_mtok": "input_image",
    "input_video_mtok": "input_video",
    "cache_audio_read_mtok": "cache_read_audio",
    "cache_image_read_mtok": "cache_read_image",
    "cache_video_read_mtok": "cache_read_video",
    "cache_audio_write_mtok": "cache_write_audio",
    "cache_image_write_mtok": "cache_write_image",
    "output_mtok": "output",
    "output_reasoning_mtok": "reasoning",
    "output_citation_mtok": "citation",
    "output_audio_mtok": "output_audio",
    "output_image_mtok": "output_image",
    "output_video_mtok": "output_video",
}
_UNIT_KEYS: Final = {
    "input_mchars": ("characters", 1_000_000),
    "input_text_messages_kcount": ("text_messages", 1000),
    "audio_hours": ("audio_seconds", 3600),
    "input_audio_hours": ("input_audio_seconds", 3600),
    "output_audio_hours": ("output_audio_seconds", 3600),
    "input_gpixels": ("pixels", 1_000_000_000),
    "input_document_kpages": ("document_pages", 1000),
    "input_annotated_document_kpages": ("annotated_document_pages", 1000),
    "rerank_searches_kcount": ("rerank_searches", 1000),
    "web_searches_kcount": ("web_searches", 1000),
    "social_searches_kcount": ("social_searches", 1000),
    "storage_searches_kcount": ("storage_searches", 1000),
    "code_executions_kcount": ("code_executions", 1000),
    "requests_kcount": (REQUESTS, 1000),
}
_TIER_CONTEXTS: Final = {("processing", "batch"): "batch", ("speed", "fast"): "fast"}
_MINIMUM_SECONDS: Final = {("groq", "whisper-large-v3"): 10, ("groq", "whisper-large-v3-turbo"): 10}

_Span = tuple[datetime, datetime]


class GenaiFeed:
    """Price rows from the installed genai-prices, or from a newer state of its data.

    skipped: models that could not be compiled, with the reason; empty with the versions this was written for.
    skipped_rules: what means them, by vendor, where that could be read.
    """

    def __init__(
        self,
        providers: "Sequence[Provider] | None" = None,
        *,
        source: str = "",
        recorded_at: datetime | None = None,
    ) -> None:
        """providers: in place of the installed ones; then `source` and `recorded_at` say where and when from."""
        installed = installed_feed()
        if providers is None:
            from genai_prices.data import providers as installed_providers

            providers = installed_providers
        self.source = source or f"genai-prices {installed.version}"
        self.recorded_at = recorded_at or installed.recorded_at
        self.skipped: dict[str, str] = {}
        self.skipped_rules: dict[str, list[Match]] = {}
        self._providers = {VENDOR_NAMES.get(provider.id, provider.id): provider for provider in providers}
        self._by_id = {provider.id: provider for provider in providers}
        self._by_vendor: dict[str, VendorRows] = {}

    def recorded_times(self) -> set[datetime]:
        """When the feed became known."""
        return {self.recorded_at}

    def vendors(self) -> list[str]:
        """Vendors that the feed has prices of, under our names, in the feed's order."""
        return list(self._providers)

    def vendor_rows(self, vendor: str) -> VendorRows | None:
        """A vendor's rows, a group a model; those of models that it borrows from others stand in `borrowed`."""
        known = self._by_vendor.get(vendor)
        provider = self._providers.get(vendor)
        if known is None and provider is not None:
            lenders = [
                self._by_id[lender]
                for lender in provider.fallback_model_providers or ()
                if lender in self._by_id
            ]
            known = VendorRows(
                self._groups(vendor, provider, borrowed=False),
                [group for lender in lenders for group in self._groups(vendor, lender, borrowed=True)],
            )
            self._by_vendor[vendor] = known
        return known

    def offers(self, vendor: str) -> list[Sequence[Price]]:
        """What the vendor offers, a model's rows each; a name means the first whose rule holds. Borrowed ones last."""
        found = self.vendor_rows(vendor)
        return [] if found is None else [group.rows for group in (*found.groups, *found.borrowed)]

    def rows(self) -> Iterator[Price]:
        """Every row; compiles what is not compiled yet. Rows that a vendor borrows from another are not repeated."""
        for vendor in self._providers:
            found = self.vendor_rows(vendor)
            yield from () if found is None else found.rows()

    def rows_for(self, vendor: str, model: str) -> Sequence[Price]:
        """The rows of the first model of `vendor` that means the name `model`; empty where none does."""
        return first_offer(self.vendor_rows, vendor, model)

    def _groups(self, vendor: str, provider: "Provider", *, borrowed: bool) -> Iterator[GroupAtHand]:
        for model in provider.models:
            try:
                rows = self._compile(vendor, provider, model, borrowed=borrowed)
            except ValueError as error:
                self.skipped[f"{provider.id}/{model.id}"] = str(error)
                with suppress(ValueError):
                    self.skipped_rules.setdefault(vendor, []).append(match_from_clause(model.match))
            else:
                if rows:
                    yield GroupAtHand(rows[0].match, rows)

    def _compile(
        self, vendor: str, provider: "Provider", model: "ModelInfo", *, borrowed: bool
    ) -> tuple[Price, ...]:
        match = match_from_clause(model.match)
        name = f"{provider.id}/{model.id}" if not borrowed else f"{vendor}/{provider.id}/{model.id}"
        minimum = _MINIMUM_SECONDS.get((provider.id, model.id), 0)
        urls = provider.pricing_urls or []

        def row(
            prices: "ModelPrice",
            overrides: Sequence["ModelPrice"],
            tier: str,
            span: _Span,
            schedule: Schedule | None,
        ) -> Price:
            return Price(
                price_id=_price_id(name, tier, span[0], schedule),
                vendor=vendor,
                match=match,
                cards=_cards(prices, overrides, minimum),
                currency="USD",
                recorded_at=self.recorded_at,
                source=f"{self.source}, {urls[0]}" if urls else self.source,
                source_at=self.recorded_at.date(),
                confidence="undated" if span[0] == BEGINNING else "feed",
                service_tier=tier,
                valid_from=None if span[0] == BEGINNING else span[0],
                valid_to=None if span[1] == END else span[1],
                schedule=schedule,
            )

        rows = []
        for prices, span, schedule in _standard_rows(model):
            rows.append(row(prices, (), STANDARD, span, schedule))
            for tier, variants in _tiers(() if borrowed else model.price_variants or ()).items():
                for variant_span, overrides in _variant_spans(variants):
                    both = (max(span[0], variant_span[0]), min(span[1], variant_span[1]))
                    if both[0] < both[1]:
                        rows.append(row(prices, overrides, tier, both, schedule))
        return tuple(rows)


def _price_id(name: str, tier: str, starts_at: datetime, schedule: Schedule | None) -> str:
    parts = [f"genai:{name}"]
    if tier != STANDARD:
        parts.append(f"/{tier}")
    if starts_at != BEGINNING:
        parts.append(f"@{starts_at:%Y-%m-%d}")
    if schedule is not None:
        (start, _), (_, end) = schedule.windows[0], schedule.windows[-1]
        parts.append(f"#{start // 3600:02d}{start % 3600 // 60:02d}-{end // 3600:02d}{end % 3600 // 60:02d}")
    return "".join(parts)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _standard_rows(model: "ModelInfo") -> list[tuple["ModelPrice", _Span, Schedule | None]]:
    """Standard prices in the feed's order, in which a later one that holds wins."""
    from genai_prices.types import ModelPrice, StartDateConstraint, TimeOfDateConstraint

    if isinstance(model.prices, ModelPrice):
        return [(model.prices, (BEGINNING, END), None)]
    starts = [
        _midnight(entry.constraint.start_date) if isinstance(entry.constraint, StartDateConstraint) else None
        for entry in model.prices
    ]
    rows: list[tuple[ModelPrice, _Span, Schedule | None]] = []
    starts_at = BEGINNING
    for index, entry in enumerate(model.prices):
        starts_at = starts[index] or starts_at
        ends_at = min((start for start in starts[index + 1 :] if start is not None), default=END)
        schedule = None
        if isinstance(entry.constraint, TimeOfDateConstraint):
            schedule = _schedule(entry.constraint.start_time, entry.constraint.end_time)
        elif not (entry.constraint is None or isinstance(entry.constraint, StartDateConstraint)):
            raise ValueError(f"constraint {entry.constraint!r} is of a kind that is not known here")
        if starts_at < ends_at:
            rows.append((entry.prices, (starts_at, ends_at), schedule))
    return rows


def _schedule(start_time: time, end_time: time) -> Schedule:
    """A daily UTC window; one that crosses midnight becomes two."""

    def seconds(moment: time) -> int:
        offset = moment.utcoffset()
        local = moment.hour * 3600 + moment.minute * 60 + moment.second
        return (local - (offset // timedelta(seconds=1) if offset else 0)) % 86_400

    start, end = seconds(start_time), seconds(end_time)
    return Schedule(windows=((start, end),) if start <= end else ((0, end), (start, 86_400)))


def _tiers(variants: Iterable["PriceVariant"]) -> dict[str, list["PriceVariant"]]:
    tiers: dict[str, list[PriceVariant]] = {}
    for variant in variants:
        if len(variant.when) != 1:
            continue
        ((key, value),) = variant.when.items()
        tier = value if key == "service_tier" else _TIER_CONTEXTS.get((key, value), "")
        if tier and tier != "default":
            tiers.setdefault(tier, []).append(variant)
    return tiers


def _variant_spans(variants: Sequence["PriceVariant"]) -> list[tuple[_Span, list["ModelPrice"]]]:
    """Spans within which the same variants hold, with their prices, the first of which wins for each key."""
    starts = []
    for variant in variants:
        if variant.constraint is None:
            starts.append(BEGINNING)
        elif hasattr(variant.constraint, "start_date"):
            starts.append(_midnight(variant.constraint.start_date))
        else:
            raise ValueError(
                f"constraint {variant.constraint!r} of a variant is of a kind that is not known here"
            )
    edges = [*sorted(set(starts)), END]
    return [
        (
            (edge, edges[index + 1]),
            [variant.prices for variant, start in zip(variants, starts, strict=True) if start <= edge],
        )
        for index, edge in enumerate(edges[:-1])
    ]


def _cards(prices: "ModelPrice", overrides: Sequence["ModelPrice"], minimum: int) -> tuple[RateCard, ...]:
    values: dict[str, Any] = {}
    for source in (*overrides, prices):
        for key, value in vars(source).items():
            if value is not None:
                values.setdefault(key, value)
    starts = sorted({tier.start for value in values.values() for tier in getattr(value, "tiers", ())})
    cards = tuple(
        RateCard(tuple(_rate(key, value, above, minimum) for key, value in values.items()), input_above=above)
        for above in (-1, *starts)
    )
    # What has a price by the second and none for tokens is billed by the second alone.
    by_time = any(key.endswith("_hours") for key in values) and not any(key in _TOKEN_KEYS for key in values)
    return tokens_included(cards[0]) if by_time and not starts else cards


def _rate(key: str, value: Any, above: int, minimum: int) -> tuple[str, Rate]:
    amount: Decimal = getattr(value, "base", value)
    for tier in getattr(value, "tiers", ()):
        if tier.start <= above:
            amount = tier.price
    if key in _TOKEN_KEYS:
        return _TOKEN_KEYS[key], Rate(picos_from_decimal(amount), TOKENS_PER_RATE)
    if key in _UNIT_KEYS:
        name, per = _UNIT_KEYS[key]
        return name, Rate(picos_from_decimal(amount), per, minimum if name.endswith("seconds") else 0)
    raise ValueError(f"price key {key} is not known here")

"""The price book: which price holds for a call, and what the call costs.

Three questions, three arguments: as billed (`known_at` = when it was metered), as known now (neither), at the prices of
another date (`at`). The answer depends on nothing but the rows, the rates and the arguments; the book has no clock.

`list_cost` is at the public price, `cost` at what a company's contracts make of it; which price holds for either is
told in `tokenweir.pricing.finding`. Where no public price covers a call that a contract prices, its list cost is its
cost. Where a contract's price does not cover a call, the call is unpriced: the public price is not what is billed.

The answer for a (vendor, model, service tier, region) holds for a span of time; it is kept, so that the next lookup
within it is one dictionary access and two comparisons. Not for use by several threads at once while it is being
filled; a book per thread or process costs little.
"""

from bisect import bisect_right, insort
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, Self

from tokenweir.errors import WrongCall
from tokenweir.money import PICOS_PER_UNIT, divide_half_even, picos_from_decimal
from tokenweir.pricing.calculation import REPORTED, NativeParts, PreparedPrice, all_parts, to_usd
from tokenweir.pricing.components import NoPrice
from tokenweir.pricing.contracts import Contracts
from tokenweir.pricing.exchange import ExchangeRates, reference_rates
from tokenweir.pricing.finding import PriceFinder, span_text
from tokenweir.pricing.plain import GroupCost, PlainRates, group_cost, plain_parts, plain_rates
from tokenweir.pricing.price import BEGINNING, END, STANDARD, Price, Priced
from tokenweir.pricing.sources import PriceSource

_MAX_KEYS: Final = 50_000
_MAX_SPANS_PER_KEY: Final = 4_000
_MAX_REASON: Final = 256
_Key = tuple[str, str, str, str]


class _Usable:
    """A price made ready, with the exchange rate of its currency (None where there is none)."""

    __slots__ = ("fx_rate_picos", "plain", "prepared")

    def __init__(self, prepared: PreparedPrice, fx_rate_picos: int | None) -> None:
        self.prepared = prepared
        self.plain: PlainRates | None = plain_rates(prepared)
        self.fx_rate_picos = fx_rate_picos


class _Answer:
    """What holds for a key from `starts_at` up to but not `ends_at`. listed: None where the list cost is the cost."""

    __slots__ = ("ends_at", "fx_rate_picos", "listed", "plain", "prepared", "price", "reason", "starts_at")

    def __init__(
        self,
        starts_at: datetime,
        ends_at: datetime,
        price: Price | None,
        usable: _Usable | None,
        listed: _Usable | None,
        reason: str,
    ) -> None:
        self.starts_at = starts_at
        self.ends_at = ends_at
        self.price = price
        self.prepared = usable.prepared if usable is not None else None
        self.plain = usable.plain if usable is not None else None
        self.fx_rate_picos = usable.fx_rate_picos if usable is not None else None
        self.listed = listed
        self.reason = reason


_starts_at = attrgetter("starts_at")


class PriceBook:
    """Public prices from several sources, the later of which win; exchange rates; a company's contracts."""

    def __init__(
        self,
        sources: Sequence[PriceSource],
        rates: ExchangeRates | None = None,
        contracts: Contracts | None = None,
    ) -> None:
        self._sources = tuple(sources)
        self._rates = rates or ExchangeRates()
        self._contracts = contracts or Contracts()
        self._finder = PriceFinder(self._sources, self._contracts)
        recorded = self._rates.recorded_times() | self._contracts.recorded_times()
        recorded = recorded.union(*(source.recorded_times() for source in self._sources))
        self._recorded_times = sorted(recorded)
        self._last_recorded_at = max(recorded, default=BEGINNING)
        # What is known changes only at a recorded time: the answers of one such epoch are the same.
        self._epochs: dict[int, dict[_Key, _Answer]] = {}
        self._spans: dict[tuple[int, _Key], list[_Answer]] = {}
        self._current = self._epochs.setdefault(len(self._recorded_times), {})

    @classmethod
    def default(
        cls, overlay: Path | None = None, recorded: Path | None = None, *, cache_dir: Path | None = None
    ) -> Self:
        """genai-prices, the project's own data over it, recorded updates over both, and a company's file over all.

        overlay: the company's file. recorded: the folder of the updates; it need not be there. cache_dir: where the
        compiled form of the first two is kept; None for `price_cache.default_cache_dir()`.
        Raises WrongCall for a company's file that has a mistake, with its line, the reason and the fix, and
        RecordedChanged for a recorded update that is not what it was.
        """
        from tokenweir.pricing.price_cache import public_sources

        sources = public_sources(cache_dir)
        rates = [reference_rates()]
        # What understands files is imported only where there are any.
        if recorded is not None and recorded.is_dir():
            from tokenweir.pricing.recorded import read_recorded

            updates = read_recorded(recorded)
            if updates.files:
                sources.append(updates)
                rates.append(updates.exchange_rates())
        if overlay is None:
            return cls(sources, ExchangeRates(*rates))
        from tokenweir.pricing.known_names import refuse_unknown_names
        from tokenweir.pricing.overlay import read_overlay_file

        company = read_overlay_file(overlay)
        refuse_unknown_names(company, sources)
        return cls(sources, ExchangeRates(*rates, company.exchange_rates), company.contracts)

    @property
    def last_recorded_at(self) -> datetime:
        """Since when all that the book knows is known."""
        return self._last_recorded_at

    @property
    def sources(self) -> tuple[PriceSource, ...]:
        """Where the public prices come from; the later win."""
        return self._sources

    @property
    def rates(self) -> ExchangeRates:
        """The exchange rates."""
        return self._rates

    @property
    def finder(self) -> PriceFinder:
        """What finds the price that holds for a call."""
        return self._finder

    @property
    def contracts(self) -> Contracts:
        """The company's own prices, discounts and aliases."""
        return self._contracts

    def rows(self) -> Iterator[Price]:
        """Every row of every source, and the company's own."""
        for source in (*self._sources, self._contracts.prices):
            yield from source.rows()

    def lookup(
        self,
        vendor: str,
        model: str,
        time: datetime,
        *,
        service_tier: str = STANDARD,
        region: str = "",
        known_at: datetime | None = None,
    ) -> Price | None:
        """The price that decides a call's cost at `time`, as known at `known_at` (None: all that is known)."""
        answers = self._current
        if known_at is not None and known_at < self._last_recorded_at:
            answers = self._answers(known_at)
        key = (vendor, model, service_tier, region)
        answer = answers.get(key)
        if answer is not None and answer.starts_at <= time < answer.ends_at:
            return answer.price
        return self._find(answers, key, time, known_at).price

    def price(self, event: Any, *, known_at: datetime | None = None, at: datetime | None = None) -> Priced:
        """What `event` costs.

        event: anything with the attributes of UsageEvent, valid as one. known_at: only what was known then (None: all
        that is known). at: at the prices and exchange rates of that time instead of the event's own.
        """
        answers = self._current
        if known_at is not None and known_at < self._last_recorded_at:
            answers = self._answers(known_at)
        time = event.time if at is None else at
        key = (event.vendor, event.model, event.service_tier, event.region)
        answer = answers.get(key)
        if answer is None or not answer.starts_at <= time < answer.ends_at:
            answer = self._find(answers, key, time, known_at)
        prepared = answer.prepared
        if prepared is None:
            return self._reported(event, answer.reason, time, known_at)
        card = prepared.only or prepared.card_for(event)
        try:
            # Written out rather than called: a call here costs as much as the rest of the test.
            if card.is_plain and not (
                event.units
                or event.input_audio_tokens
                or event.input_image_tokens
                or event.output_audio_tokens
                or event.output_image_tokens
            ):
                parts = card.plain_parts(event)
                price_status = prepared.status
            else:
                parts = all_parts(card, event)
                price_status = prepared.status_for(event, parts)
        except NoPrice as problem:
            return self._reported(event, f"{problem} ({prepared.price_id})", time, known_at)
        rate = answer.fx_rate_picos
        if rate == PICOS_PER_UNIT:
            cost = 0
            for _, picos in parts:
                cost += picos
            listed = cost if answer.listed is None else _list_cost(answer.listed, event, cost)
            return Priced(
                cost, listed, cost, prepared.currency, rate, parts, prepared.price_id, price_status, ""
            )
        if rate is None:
            native = sum(picos for _, picos in parts)
            # Nothing needs no exchange rate: free stays free.
            cost_picos = None if native else 0
            listed_picos = cost_picos
            if cost_picos is not None and answer.listed is not None:
                listed_picos = _list_cost(answer.listed, event, cost_picos)
            status, reason = ("unpriced", answer.reason) if native else (price_status, "")
            return Priced(
                cost_picos,
                listed_picos,
                native,
                prepared.currency,
                None,
                (),
                prepared.price_id,
                status,
                reason,
            )
        cost, native, parts = to_usd(parts, rate)
        listed = cost if answer.listed is None else _list_cost(answer.listed, event, cost)
        return Priced(
            cost, listed, native, prepared.currency, rate, parts, prepared.price_id, price_status, ""
        )

    def price_group(
        self,
        names: Mapping[str, str],
        earliest: datetime,
        latest: datetime,
        columns: Mapping[str, Sequence[Any]],
    ) -> GroupCost | Priced | None:
        """`price` of many calls of one model at once: a cost for each, or one answer that is the same for all.

        None where they have to be priced one by one. names: vendor, model, service_tier and region, which all have.
        earliest, latest: their times lie between. columns: their counts, units, tags and reported costs by
        field of UsageEvent.
        """
        key = (names["vendor"], names["model"], names["service_tier"], names["region"])
        answer = self._current.get(key)
        if answer is None or not answer.starts_at <= earliest < answer.ends_at:
            answer = self._find(self._current, key, earliest, None)
        if not latest < answer.ends_at:
            return None
        prepared = answer.prepared
        if prepared is None:
            reported = columns["reported_cost"]
            return _unpriced(answer.reason) if reported.count(None) == len(reported) else None
        if answer.plain is None or answer.fx_rate_picos is None:
            return None
        parts = plain_parts(answer.plain, columns)
        if parts is None:
            return None
        costs = group_cost(parts, prepared.currency, answer.fx_rate_picos, prepared.price_id, prepared.status)
        listed = answer.listed
        if listed is None:
            return costs
        if listed.plain is None or listed.fx_rate_picos is None:
            return None
        list_parts = plain_parts(listed.plain, columns)
        if list_parts is None:
            return None
        at_list = group_cost(list_parts, listed.prepared.currency, listed.fx_rate_picos, "", "")
        return costs._replace(list_cost_picos=at_list.cost_picos)

    def native_parts(self, event: Any, *, known_at: datetime | None = None) -> NativeParts | None:
        """The parts of `price` before they are converted to USD; None where the event has no price."""
        answers = self._current if known_at is None else self._answers(known_at)
        key = (event.vendor, event.model, event.service_tier, event.region)
        answer = self._find(answers, key, event.time, known_at)
        if answer.prepared is not None:
            card = answer.prepared.card_for(event)
            with suppress(NoPrice):
                return NativeParts(all_parts(card, event), answer.fx_rate_picos)
        reported, currency = event.reported_cost, event.reported_currency
        rate, _, _ = self._rates.rate(currency, event.time, END if known_at is None else known_at)
        if reported is None or rate is None:
            return None
        return NativeParts(((REPORTED, picos_from_decimal(reported)),), rate)

    def _answers(self, known_at: datetime) -> dict[_Key, _Answer]:
        return self._epochs.setdefault(bisect_right(self._recorded_times, known_at), {})

    def _find(
        self, answers: dict[_Key, _Answer], key: _Key, time: datetime, known_at: datetime | None
    ) -> _Answer:
        """The answer for `time`, from the spans answered before or worked out; kept as the key's latest."""
        if time.tzinfo is None:
            raise WrongCall(f"the time {time} has no zone", hint="Pass an aware datetime, in UTC")
        known = END if known_at is None else known_at
        spans_key = (bisect_right(self._recorded_times, known), key)
        spans = self._spans.setdefault(spans_key, [])
        index = bisect_right(spans, time, key=_starts_at)
        if index and time < spans[index - 1].ends_at:
            answer = spans[index - 1]
        else:
            answer = self._work_out(key, time, known)
            if len(spans) >= _MAX_SPANS_PER_KEY:
                spans.clear()
            insort(spans, answer, key=_starts_at)
        if len(answers) >= _MAX_KEYS:
            # Names come from outside: a flood of made-up ones may cost time but not memory.
            answers.clear()
            self._spans.clear()
        answers[key] = answer
        return answer

    def _work_out(self, key: _Key, time: datetime, known_at: datetime) -> _Answer:
        vendor, model, tier_name, region = key
        found = self._finder.find(vendor, model, tier_name, region, time, known_at)
        starts_at, ends_at = found.starts_at, found.ends_at
        if found.price is None:
            return _Answer(starts_at, ends_at, None, None, None, found.reason)
        rate, rate_from, rate_to = self._rates.rate(found.price.currency, time, known_at)
        reason = ""
        if rate is None:
            reason = f"no exchange rate from {found.price.currency} to USD{span_text(rate_from, rate_to)}"
        starts_at, ends_at = max(starts_at, rate_from), min(ends_at, rate_to)
        listed = None
        if found.listed is not None:
            list_rate, rate_from, rate_to = self._rates.rate(found.listed.currency, time, known_at)
            starts_at, ends_at = max(starts_at, rate_from), min(ends_at, rate_to)
            listed = _Usable(PreparedPrice(found.listed), list_rate)
        usable = _Usable(PreparedPrice(found.price, found.status, found.own_units), rate)
        return _Answer(starts_at, ends_at, found.price, usable, listed, reason)

    def _reported(self, event: Any, reason: str, time: datetime, known_at: datetime | None) -> Priced:
        """The reported cost where there is one in a currency with a rate, else unpriced."""
        reported, currency = event.reported_cost, event.reported_currency
        if reported is None:
            return _unpriced(reason)
        if not currency:
            return _unpriced(f"{reason}; the reported cost names no currency")
        rate, _, _ = self._rates.rate(currency, time, END if known_at is None else known_at)
        native = picos_from_decimal(reported)
        if rate is None:
            return _unpriced(f"{reason}; no exchange rate for the reported cost in {currency}")
        cost = divide_half_even(native * rate, PICOS_PER_UNIT)
        return Priced(cost, cost, native, currency, rate, ((REPORTED, cost),), "", "reported", "")


def _list_cost(listed: _Usable, event: Any, otherwise: int) -> int:
    """USD picos of `event` at its public price; `otherwise` where that does not cover it."""
    card = listed.prepared.only or listed.prepared.card_for(event)
    try:
        parts = all_parts(card, event)
    except NoPrice:
        return otherwise
    native = sum(picos for _, picos in parts)
    if listed.fx_rate_picos is None:
        return otherwise if native else 0
    return divide_half_even(native * listed.fx_rate_picos, PICOS_PER_UNIT)


def _unpriced(reason: str) -> Priced:
    return Priced(None, None, None, "USD", None, (), "", "unpriced", reason[:_MAX_REASON])

"""Sentences on what a candidate's figures rest on: assumptions, prices that lack something, and how long it lasts."""

from collections.abc import Iterator
from datetime import datetime

from tokenweir.money import PICOS_PER_UNIT, decimal_from_picos, decimal_string
from tokenweir.pricing.price import STANDARD
from tokenweir.whatif.candidate import Candidate
from tokenweir.whatif.repricing import Repricer
from tokenweir.whatif.tally import Tally, Traffic
from tokenweir.whatif.traffic import PriceKey


def notes_of(
    candidate: Candidate, total: Tally, traffic: Traffic, repricer: Repricer, ends_at: datetime
) -> list[str]:
    """The notes on a candidate. ends_at: of the calls; stands for now where each is priced at its own time."""
    moment = repricer.at or ends_at
    return [
        _tokens(candidate),
        *_what_is_compared(total, traffic),
        *_cache(candidate, total, repricer, moment),
        *_abilities(candidate, total),
        *_allowances(candidate, repricer),
        *_lifecycle(candidate, moment),
        *_unchecked(candidate),
    ]


def _tokens(candidate: Candidate) -> str:
    if candidate.tokens_factor == 1:
        return "assumes the same token counts; its tokenizer may count otherwise (--tokens-factor)"
    return f"assumes {candidate.tokens_factor:f} tokens for each of theirs, rounded call by call"


def _what_is_compared(total: Tally, traffic: Traffic) -> Iterator[str]:
    if traffic.calls and not total.calls:
        yield f"none of {_calls(traffic.calls)} can carry over"
    elif total.left_out_calls:
        yield f"figures are over {total.calls:,} of {_calls(traffic.calls)}; the others cannot carry over"
    codes = {reason.code for reason in total.left_out}
    if "tier_not_offered" in codes:
        yield "--tier-fallback standard prices the calls of a tier that it does not offer in the standard tier"
    if "region_not_offered" in codes:
        yield "--region NAME says where it would be called; else each call's own region is taken, by its own name"
    for one, before in (
        (total.billed, "no cost as billed"),
        (total.same_prices, "no price of their own model at that time"),
    ):
        if one.calls < total.calls:
            missing = total.calls - one.calls
            yield (
                f"for {_calls(missing)} there is {before}: the comparison leaves them out and is over {one.calls:,}, "
                f"which cost ${_money(one.after_picos)} on it"
            )


def _cache(candidate: Candidate, total: Tally, repricer: Repricer, moment: datetime) -> Iterator[str]:
    known = candidate.known
    never = known is not None and known.is_able("cache") is False
    if total.as_input.calls:
        why = "it offers no cache" if never else "it has no price for tokens read from a cache"
        yield (
            f"{why}: {total.as_input.tokens:,} cached tokens of {_calls(total.as_input.calls)} cost as input, "
            f"${_money(total.as_input.cost_picos)} of the cost"
        )
    if total.cache_read_tokens and not total.cache_write_tokens:
        key = PriceKey(candidate.vendor, candidate.model, STANDARD, candidate.region or "")
        price = repricer.price(key, moment)
        if price is not None and any(name == "cache_write" for card in price.cards for name, _ in card.rates):
            yield (
                "it charges for writing to its cache, and the calls state only what they read: "
                "writing is not in the cost"
            )


def _abilities(candidate: Candidate, total: Tally) -> Iterator[str]:
    known = candidate.known
    if total.at_standard:
        yield (
            f"{_calls(total.at_standard)} {'is' if total.at_standard == 1 else 'are'} priced in the standard tier, "
            "as another is not offered"
        )
    if total.reasoning_calls and known is not None and known.is_able("reasoning") is False:
        yield f"it does not reason: what {_calls(total.reasoning_calls)} reasoned is priced as its output"


def _allowances(candidate: Candidate, repricer: Repricer) -> Iterator[str]:
    if candidate.vendor in repricer.contracts.allowances.vendors:
        yield "free tiers and packs of the price file are not taken off its cost; what was billed may have them"


def _lifecycle(candidate: Candidate, moment: datetime) -> Iterator[str]:
    known, on = candidate.known, moment.date()
    if known is None or candidate.found is None:
        return
    if candidate.found.how == "dated":
        yield f"no row of the catalog has that date; what is said of its limits and its end is said of {known.model}"
    instead = " or ".join(
        each.model if each.vendor == known.vendor else f"{each.vendor}/{each.model}"
        for each in known.successors
    )
    successor = f"; its successor is {instead}" if instead else "; no source names a successor"
    if known.retires_on is not None:
        verb = "retired" if known.retires_on <= on else "retires"
        yield f"it {verb} on {known.retires_on}{successor}"
    elif known.state_on(on) in ("deprecated", "retired"):
        yield f"it is {known.state_on(on)}{successor}"


def _unchecked(candidate: Candidate) -> Iterator[str]:
    if candidate.unknown_facts:
        yield f"not checked, as the catalog does not say: {', '.join(candidate.unknown_facts)}"


def _money(picos: int) -> str:
    return f"{decimal_from_picos(picos):,.2f}" if picos >= PICOS_PER_UNIT else decimal_string(picos)


def _calls(count: int) -> str:
    return f"{count:,} call{'' if count == 1 else 's'}"

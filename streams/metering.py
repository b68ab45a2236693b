"""What the meter adds to an event: the fields of MeteredEvent that UsageEvent does not have, as JSON.

What is added to each event is put together from the columns of its group's costs and from what is the same in all of
the group, and goes into the event's line as it stands (`streams.records`), so that of all these fields only one is set
on a single event. Pure.

Invariants: the fields are MeteredEvent's, defaults left out; money is written as plain decimal strings; an unpriced
event has no cost at all.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain, repeat
from typing import Final

import msgspec

from tokenweir.money import PICOS_PER_UNIT, decimal_string
from tokenweir.pricing import Priced
from tokenweir.pricing.plain import GroupCost
from tokenweir.usage.version import FULLNESS_FIELDS, FULLNESS_STEP, report_stamp

_json: Final = msgspec.json.encode


class Additions:
    """Makes what is added to the events of one message: the value of `metered_at` and all members after it.

    reported_at_ms: Kafka's time of the message. now: UTC, becomes `metered_at`.
    """

    def __init__(self, reported_at_ms: int, now: datetime) -> None:
        stamp = report_stamp(reported_at_ms)
        # An event's version differs from its neighbours' only by how much it states.
        self._beginnings = [
            b'%b,"version":%d' % (_json(now), known * FULLNESS_STEP + stamp)
            for known in range(len(FULLNESS_FIELDS) + 1)
        ]

    def of_group(self, costs: GroupCost, fullness: Sequence[int]) -> Iterable[bytes]:
        """What is added to each call of a group. fullness: of the same calls."""
        amounts = [costs.cost_picos, *(picos for _, picos in costs.parts)]
        # What is the same as the cost is not written out again.
        others = [
            amount
            for amount in (costs.list_cost_picos, costs.native_cost_picos)
            if amount is not costs.cost_picos
        ]
        leading, fractions = _fractions([*amounts, *others])
        cost, texts = fractions[0], iter(fractions[len(amounts) :])
        listed = cost if costs.list_cost_picos is costs.cost_picos else next(texts)
        native = cost if costs.native_cost_picos is costs.cost_picos else next(texts)
        pieces: list[Iterable[bytes]] = [
            map(self._beginnings.__getitem__, fullness),
            repeat(b',"cost":"' + leading),
            cost,
            repeat(b'","list_cost":"' + leading),
            listed,
            repeat(b'","native_cost":"' + leading),
            native,
        ]
        before = b'"%b,"cost_parts":{' % _terms(costs.currency, costs.fx_rate_picos)
        for (name, _), part in zip(costs.parts, fractions[1:], strict=False):
            pieces += [repeat(b'%b%b:"%b' % (before, _json(name), leading)), part]
            before = b'",'
        pieces.append(repeat(b'"}' + _price(costs.price_id, costs.price_status)))
        return map(b"".join, zip(*pieces, strict=False))

    def of_like_calls(self, priced: Priced, fullness: Sequence[int]) -> Iterable[bytes]:
        """What is added to each of several calls that have the same answer. fullness: of these calls."""
        by_fullness = {known: self.of_call(priced, known) for known in set(fullness)}
        return map(by_fullness.__getitem__, fullness)

    def of_call(self, priced: Priced, fullness: int) -> bytes:
        """What is added to one call."""
        amounts = {
            "cost": priced.cost_picos,
            "list_cost": priced.list_cost_picos,
            "native_cost": priced.native_cost_picos,
        }
        pieces = [self._beginnings[fullness]]
        pieces += [
            b',"%b":%b' % (name.encode(), _money(picos))
            for name, picos in amounts.items()
            if picos is not None
        ]
        pieces.append(_terms(priced.currency, priced.fx_rate_picos))
        if priced.parts:
            parts = b",".join(b"%b:%b" % (_json(name), _money(picos)) for name, picos in priced.parts)
            pieces.append(b',"cost_parts":{%b}' % parts)
        pieces.append(_price(priced.price_id, priced.price_status))
        if priced.unpriced_reason:
            pieces.append(b',"unpriced_reason":%b' % _json(priced.unpriced_reason))
        return b"".join(pieces)


def _terms(currency: str, fx_rate_picos: int | None) -> bytes:
    """The currency, where it is not dollars, and the exchange rate."""
    named = b"" if currency == "USD" else b',"currency":%b' % _json(currency)
    return named if fx_rate_picos is None else b'%b,"fx_rate":%b' % (named, _money(fx_rate_picos))


def _price(price_id: str, price_status: str) -> bytes:
    named = b',"price_id":%b' % _json(price_id) if price_id else b""
    return b'%b,"price_status":%b' % (named, _json(price_status))


def _money(picos: int) -> bytes:
    return b'"%b"' % decimal_string(picos).encode()


def _fractions(columns: Sequence[Sequence[int]]) -> tuple[bytes, list[Sequence[bytes]]]:
    """`decimal_string` of all amounts of some columns of one length: what all begin with, and the rest of each.

    Where all are less than one unit, the digits are made by one call for all.
    """
    picos = list(chain.from_iterable(columns))
    if min(picos) < 0 or max(picos) >= PICOS_PER_UNIT:
        return b"", [[decimal_string(amount).encode() for amount in column] for column in columns]
    # One unit more each, so that all have the same number of digits; the leading 1 then gives way to the point.
    digits = _json(list(map(PICOS_PER_UNIT.__add__, picos)))[2:-1]
    fractions = (b"." + digits.replace(b",1", b",.")).split(b",")
    texts = list(map(bytes.rstrip, fractions, repeat(b"0.")))
    count = len(columns[0])
    return b"0", [texts[start : start + count] for start in range(0, len(texts), count)]

"""Why the ledger has more or fewer dollars than the bill, where its tokens agree or the bill has none."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from sinks.reconciliation.findings import Case, Finding, Rule, days_of, grouped, place
from sinks.reconciliation.line_kinds import kind_of
from sinks.reconciliation.measures import Key, Pair, Table, agree, tokens_agree
from sinks.reconciliation.sides import BillEntry

_RATIOS: Final = (
    (Decimal("0.5"), "batch or flex calls are not marked as such (service_tier)"),
    (Decimal("0.1"), "cached tokens are not marked as such (cache_read_tokens)"),
    (Decimal("1.25"), "tokens written to a cache are not marked as such (cache_write_tokens)"),
    (Decimal("2"), "one-hour cache writes, or priority calls, are not marked as such"),
    (Decimal("1.1"), "calls at a regional price are not marked as such (region)"),
    (Decimal("1.75"), "priority calls are not marked as such (service_tier)"),
    (Decimal("1.8"), "priority calls are not marked as such (service_tier)"),
)
"""Bill over ledger, and what it speaks for: the vendors' multipliers for batch, cache, region and priority."""

_NEAR: Final = Decimal("0.01")
_NONE: Final = Decimal(0)


def no_exchange_rate(case: Case) -> Sequence[Finding]:
    """Amounts in a currency for which no rate is known stay out of the comparison."""
    lines = [
        one
        for one in case.sides.facts.bills
        if one.amount and one.measures.cost is None and not one.is_detail
    ]
    return [
        Finding(
            reason="no_exchange_rate",
            sentence=f"{currency} amounts have no exchange rate for these days and are left out",
            days=_days(chosen),
            evidence={"currency": currency, "amount": sum((one.amount or _NONE for one in chosen), _NONE)},
        )
        for currency, chosen in _by(lines, "currency")
    ]


def free_credits(case: Case) -> Sequence[Finding]:
    """Credits that the bill takes off, and tokens that it lists and asks nothing for."""
    lines = [one for one in _charges(case) if kind_of(one.line_item, one.measures.cost) == "credit"]
    found = [
        Finding(
            reason="free_credits",
            sentence=f"the bill takes off {item or 'an amount'}, of which the ledger's prices know nothing",
            days=_days(chosen),
            cost_usd=-sum((one.measures.cost or _NONE for one in chosen), _NONE),
            evidence={"line_item": item},
        )
        for item, chosen in _by(lines, "line_item")
    ]
    free = []
    for key, pair in _same_tokens(case):
        if not pair.bill.cost and pair.ledger.cost and pair.bill.tokens:
            case.explained_costs.add(key)
            free.append(
                Finding(
                    reason="free_credits",
                    sentence=f"the bill asks nothing for tokens{place(key.model, key.api_key)} that the ledger "
                    "prices: they are free, or paid by credits",
                    days=days_of([key]),
                    model=key.model,
                    api_key=key.api_key,
                    cost_usd=pair.ledger.cost,
                )
            )
    return [*found, *grouped(free)]


def outside_ledger(case: Case) -> Sequence[Finding]:
    """Lines for what is no call to a model: searches, storage, sessions, tax."""
    lines = [
        one
        for one in _charges(case)
        if one.measures.cost and kind_of(one.line_item, one.measures.cost) == "outside"
    ]
    return [
        Finding(
            reason="outside_ledger",
            sentence=f"{item} is billed, and is no call that the ledger meters",
            days=_days(chosen),
            cost_usd=-sum((one.measures.cost or _NONE for one in chosen), _NONE),
            evidence={"line_item": item},
        )
        for item, chosen in _by(lines, "line_item")
    ]


def unpriced(case: Case) -> Sequence[Finding]:
    """The ledger has calls without a price."""
    calls: dict[str, int] = defaultdict(int)
    days: dict[str, set[date]] = defaultdict(set)
    for one in case.sides.facts.ledger:
        if one.unpriced_calls:
            model = case.sides.names.get(one.model, one.model)
            calls[model] += one.unpriced_calls
            days[model].add(one.day)
    for key, _ in list(case.open_cost_pairs(case.sides.cost)):
        if key.model in calls and (key.day is None or key.day in days[key.model]):
            case.explained_costs.add(key)
    return [
        Finding(
            reason="unpriced",
            sentence=f"{count} calls of {model} have no price in the ledger; `weir unpriced` says why",
            days=tuple(sorted(days[model])),
            model=model,
            evidence={"unpriced_calls": count},
        )
        for model, count in sorted(calls.items())
    ]


def price_difference(case: Case) -> Sequence[Finding]:
    """Tokens agree, and the money differs by a ratio that speaks for itself, or by one for all models."""
    found: dict[tuple[str, str, Decimal], list[tuple[Key, Pair]]] = defaultdict(list)
    for key, pair in _same_tokens(case):
        if pair.bill.cost and pair.ledger.cost:
            case.explained_costs.add(key)
            found[key.model, key.api_key, _ratio(pair.bill.cost, pair.ledger.cost)].append((key, pair))
    shares: dict[Decimal, set[str]] = defaultdict(set)
    for model, _, ratio in found:
        shares[ratio].add(model)
    findings = []
    for (model, api_key, ratio), pairs in sorted(found.items()):
        known = next((words for usual, words in _RATIOS if usual == ratio), "")
        is_discount = not known and ratio < 1 and len(shares[ratio]) > 1
        findings.append(
            Finding(
                reason="discount" if is_discount else "price_difference",
                sentence=_price_sentence(model, api_key, ratio, known, is_discount=is_discount),
                days=days_of(key for key, _ in pairs),
                model="" if is_discount else model,
                api_key="" if is_discount else api_key,
                tokens=0,
                cost_usd=sum((pair.cost_drift for _, pair in pairs), _NONE),
                evidence={"bill_over_ledger": ratio},
            )
        )
    return grouped(findings)


def _price_sentence(model: str, api_key: str, ratio: Decimal, known: str, *, is_discount: bool) -> str:
    if is_discount:
        return (
            f"the bill is {ratio} of the ledger's price for every model: a discount that the price book lacks"
        )
    reason = known or "the price book, a contract or a free share differs"
    return f"tokens{place(model, api_key)} agree and the bill is {ratio} of the ledger's price: {reason}"


def _ratio(bill: Decimal, ledger: Decimal) -> Decimal:
    """Bill over ledger: a usual multiplier where it is near one, else to two decimals."""
    ratio = bill / ledger
    near = [usual for usual, _ in _RATIOS if agree(ratio, usual, _NEAR)]
    return near[0] if near else round(ratio, 2)


def money_alone(case: Case) -> Sequence[Finding]:
    """Where the bill tells no tokens, money is all there is to compare."""
    if any(pair.bill.tokens for pair in case.sides.tokens.pairs.values()):
        return ()
    found = []
    last_read = max((one.day for one in case.sides.facts.days if not one.is_former), default=date.min)
    final = {
        one.day: one.is_final for one in case.sides.facts.days if not one.is_former and not one.is_detail
    }
    for key, pair in list(case.open_cost_pairs(case.sides.cost)):
        case.explained_costs.add(key)
        bill, ledger = pair.bill.cost or _NONE, pair.ledger.cost or _NONE
        is_open = key.day is not None and (key.day > last_read or not final.get(key.day, True))
        times = round(ledger / bill) if bill > 0 else 0
        if not ledger:
            reason, words = "not_metered", f"nothing{place(key.model, key.api_key)} is in the ledger"
        elif ledger > bill and is_open:
            reason, words = "not_billed_yet", "metered, and the vendor's figures for these days are not final"
        elif not bill:
            reason, words = "not_in_bill", f"the bill has nothing{place(key.model, key.api_key)}"
        elif times > 1 and agree(ledger, bill * times, _NEAR):
            reason, words = "counted_twice", f"the ledger has {times} times the money"
        else:
            reason, words = "unexplained", "money differs, and the bill tells no tokens that would say why"
        found.append(
            Finding(
                reason=reason,
                sentence=words,
                days=days_of([key]),
                model=key.model,
                api_key=key.api_key,
                cost_usd=pair.cost_drift,
            )
        )
    return grouped(found)


def restated_day(case: Case) -> Sequence[Finding]:
    """Days that were final when they were read before, and said something else."""
    current = {(one.report, one.day): one for one in case.sides.facts.days if not one.is_former}
    found = []
    for former in case.sides.facts.days:
        now = current.get((former.report, former.day))
        if not former.is_former or not former.is_final or now is None:
            continue
        before, after = former.amount or _NONE, now.amount or _NONE
        if before == after and former.tokens == now.tokens:
            continue
        found.append(
            Finding(
                reason="restated_day",
                sentence=f"{former.report} said something else of this day when it was already final",
                days=(former.day,),
                tokens=None,
                evidence={
                    "report": former.report,
                    "amount_before_usd": former.amount,
                    "amount_now_usd": now.amount,
                    "tokens_before": former.tokens,
                    "tokens_now": now.tokens,
                    "ledger_agrees_with": _agrees_with(case, former.day, before, after),
                },
            )
        )
    return found


def _agrees_with(case: Case, day: date, before: Decimal, after: Decimal) -> str:
    ledger = sum(
        (one.measures.cost or _NONE for one in case.sides.facts.ledger if one.day == day),
        _NONE,
    )
    if agree(ledger, after, case.tolerance):
        return "now"
    return "before" if agree(ledger, before, case.tolerance) else "neither"


def bill_incomplete(case: Case) -> Sequence[Finding]:
    """Lines of the bill that could not be read."""
    return [
        Finding(
            reason="bill_incomplete",
            sentence=f"{one.refused_lines} lines of {one.report} could not be read; `weir rejected` says why",
            days=(one.day,),
            evidence={"report": one.report, "refused_lines": one.refused_lines},
        )
        for one in case.sides.facts.days
        if one.refused_lines and not one.is_former
    ]


def _same_tokens(case: Case) -> list[tuple[Key, Pair]]:
    """Pairs of the table of money that disagree while their tokens agree, tokens and money put together."""
    cost = case.sides.cost
    tokens = case.sides.tokens.by(*cost.dimensions)
    if tokens.dimensions != cost.dimensions:
        cost = Table(
            cost.dimensions
        )  # money is told apart by more than tokens are: nothing can be set beside it
    found = []
    for key, pair in list(case.open_cost_pairs(cost)):
        beside = tokens.pairs.get(key)
        if beside is not None and beside.bill.tokens and tokens_agree(beside, case.tolerance):
            found.append((key, Pair(pair.bill + beside.bill, pair.ledger)))
    return found


def _charges(case: Case) -> list[BillEntry]:
    return [one for one in case.sides.facts.bills if one.measures.cost is not None and not one.is_detail]


def _by(lines: Iterable[BillEntry], name: str) -> list[tuple[str, list[BillEntry]]]:
    groups: dict[str, list[BillEntry]] = defaultdict(list)
    for one in lines:
        groups[getattr(one, name)].append(one)
    return sorted(groups.items())


def _days(lines: Iterable[BillEntry]) -> tuple[date, ...]:
    return tuple(sorted({one.day for one in lines}))


def unexplained(case: Case) -> Sequence[Finding]:
    """What is left: money under names that no tokens stand beside."""
    found = []
    for key, pair in list(case.open_cost_pairs(case.sides.cost)):
        case.explained_costs.add(key)
        found.append(
            Finding(
                reason="unexplained",
                sentence=f"money{place(key.model, key.api_key)} differs, and no rule says why",
                days=days_of([key]),
                model=key.model,
                api_key=key.api_key,
                cost_usd=pair.cost_drift,
            )
        )
    return grouped(found)


ORDER: Final[tuple[Rule, ...]] = (
    no_exchange_rate,
    free_credits,
    outside_ledger,
    unpriced,
    price_difference,
    money_alone,
    unexplained,
    restated_day,
    bill_incomplete,
)
"""In the order in which they are asked."""

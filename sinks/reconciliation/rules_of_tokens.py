"""Why the ledger has more or fewer tokens than the bill: each a pure rule with its evidence."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from sinks.reconciliation.findings import Case, Finding, Rule, days_of, grouped, place
from sinks.reconciliation.measures import Key, Measures, Pair, agree, summed, tokens_agree

Projects = dict[tuple[str, str], set[str]]
"""By model and key, either of which may be left out."""

_MOST_SHIFTED_DAYS: Final = 7
_MOST_TIMES: Final = 10
_TIGHT: Final = Decimal("0.002")
"""Within so much a multiple is a multiple, whatever the tolerance for the rest."""


def day_shift(case: Case) -> Sequence[Finding]:
    """Days that disagree one by one and agree added up: one side puts into a day what the other puts into the next."""
    found: list[Finding] = []
    for key, series in case.sides.tokens.series():
        apart = [
            (day, pair)
            for day, pair in series
            if key._replace(day=day) not in case.explained and not tokens_agree(pair, case.tolerance)
        ]
        start = 0
        while start < len(apart) - 1:
            length = _shifted_days(apart[start : start + _MOST_SHIFTED_DAYS], case.tolerance)
            if length:
                found.append(_shift(case, key, apart[start : start + length], "over these days"))
            start += max(length, 1)
        found += _shifted_as_a_whole(case, key, series)
    return grouped(found)


def _shifted_days(apart: list[tuple[date, Pair]], tolerance: Decimal) -> int:
    """How many days from the first on, one after the other, agree added up; 0 where they do not."""
    for length in range(2, len(apart) + 1):
        if apart[length - 1][0] - apart[length - 2][0] > timedelta(days=1):
            return 0
        total = _total(apart[:length])
        if total.bill.tokens and tokens_agree(total, tolerance):
            return length
    return 0


def _shifted_as_a_whole(case: Case, key: Key, series: list[tuple[date, Pair]]) -> list[Finding]:
    """Where hardly a day agrees and the whole does, the two sides count days in different zones."""
    left = [(day, pair) for day, pair in series if key._replace(day=day) not in case.explained]
    apart = [(day, pair) for day, pair in left if not tokens_agree(pair, case.tolerance)]
    total = _total(left)
    signs = {pair.tokens_drift > 0 for _, pair in apart}
    if len(apart) > _MOST_SHIFTED_DAYS and len(signs) == 2 and tokens_agree(total, case.tolerance * 2):
        return [_shift(case, key, apart, "over the whole period")]
    return []


def _shift(case: Case, key: Key, run: list[tuple[date, Pair]], over: str) -> Finding:
    case.explain(key._replace(day=day) for day, _ in run)
    moved = sum(abs(pair.tokens_drift) for _, pair in run) // 2
    return Finding(
        reason="day_shift",
        sentence=f"tokens{place(key.model, key.api_key)} agree {over} and not day by day: "
        "the two sides begin their days at different times",
        days=tuple(day for day, _ in run),
        model=key.model,
        api_key=key.api_key,
        tokens=sum(pair.tokens_drift for _, pair in run),
        cost_usd=case.cost_drift(key._replace(day=day) for day, _ in run),
        evidence={"moved_tokens": moved},
    )


def _total(run: Iterable[tuple[date, Pair]]) -> Pair:
    pairs = [pair for _, pair in run]
    return Pair(summed(pair.bill for pair in pairs), summed(pair.ledger for pair in pairs))


def not_billed_yet(case: Case) -> Sequence[Finding]:
    """What is metered on days that the vendor may still change, or has not told, is not to be expected in the bill."""
    found = []
    last_read = max(case.sides.read_days, default=date.min)
    for key, pair in list(case.open_pairs()):
        day = key.day
        if day is None or not pair.ledger.tokens:
            continue
        if day in case.sides.open_days or day > last_read:
            case.explain([key])
            found.append(
                Finding(
                    reason="not_billed_yet",
                    sentence=f"metered{place(key.model, key.api_key)}, and the vendor's figures for these days are "
                    "not final",
                    days=(day,),
                    model=key.model,
                    api_key=key.api_key,
                    tokens=pair.tokens_drift,
                    cost_usd=case.cost_drift([key]),
                    evidence={"last_day_read": last_read.isoformat() if case.sides.read_days else ""},
                )
            )
    return grouped(found)


def not_metered(case: Case) -> Sequence[Finding]:
    """Billed and not in the ledger at all: a whole key, a whole model, or certain days of one."""
    missing = [(key, pair) for key, pair in case.open_pairs() if pair.bill.tokens and not pair.ledger.tokens]
    projects = _projects(case) if missing else {}
    found: list[Finding] = []
    for dimension in ("api_key", "model"):
        if dimension not in case.sides.tokens.dimensions:
            continue
        known = {
            getattr(key, dimension) for key, pair in case.sides.tokens.pairs.items() if pair.ledger.tokens
        }
        whole: dict[str, list[tuple[Key, Pair]]] = defaultdict(list)
        for key, pair in missing:
            name = getattr(key, dimension)
            if name and name not in known and key not in case.explained:
                whole[name].append((key, pair))
        for name, pairs in sorted(whole.items()):
            model, api_key = (name, "") if dimension == "model" else ("", name)
            found.append(
                _missing(
                    case, pairs, model, api_key, projects, f"nothing{place(model, api_key)} is in the ledger"
                )
            )
    rest: dict[tuple[str, str], list[tuple[Key, Pair]]] = defaultdict(list)
    for key, pair in missing:
        if key not in case.explained:
            rest[key.model, key.api_key].append((key, pair))
    for (model, api_key), pairs in sorted(rest.items()):
        found.append(
            _missing(
                case,
                pairs,
                model,
                api_key,
                projects,
                f"nothing{place(model, api_key)} is in the ledger on these days",
            )
        )
    return [*found, *_keys_not_metered(case)]


def _keys_not_metered(case: Case) -> list[Finding]:
    """Whole keys that only a detail report names. Explains no sums: these are counted elsewhere."""
    found: list[Finding] = []
    for table, unit in ((case.sides.key_tokens, "tokens"), (case.sides.key_cost, "cost")):
        if table.dimensions <= case.sides.tokens.dimensions or found:
            continue
        for key, pair in sorted(table.by("api_key").pairs.items()):
            billed = pair.bill.tokens if unit == "tokens" else pair.bill.cost
            if key.api_key and billed and not pair.ledger.tokens:
                found.append(
                    Finding(
                        reason="not_metered",
                        sentence=f"nothing{place('', key.api_key)} is in the ledger",
                        api_key=key.api_key,
                        tokens=-pair.bill.tokens if unit == "tokens" else None,
                        cost_usd=None if pair.bill.cost is None else -pair.bill.cost,
                    )
                )
    return found


def _missing(
    case: Case, pairs: list[tuple[Key, Pair]], model: str, api_key: str, projects: Projects, sentence: str
) -> Finding:
    keys = [key for key, _ in pairs]
    case.explain(keys)
    billed = summed(pair.bill for _, pair in pairs)
    return Finding(
        reason="not_metered",
        sentence=sentence,
        days=days_of(keys),
        model=model,
        api_key=api_key,
        tokens=-billed.tokens,
        cost_usd=case.cost_drift(keys),
        evidence={
            "billed_tokens": billed.tokens,
            "billed_requests": billed.requests,
            "projects": sorted(projects.get((model, api_key), ())),
        },
    )


def _projects(case: Case) -> Projects:
    """The projects in which the bill has a model, a key, or both."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in case.sides.facts.bills:
        if one.project:
            model = case.sides.names.get(one.model, "")
            for name in {(model, ""), ("", one.api_key), (model, one.api_key)}:
                found[name].add(one.project)
    return found


def counted_twice(case: Case) -> Sequence[Finding]:
    """The ledger has a whole multiple of both kinds of tokens: a call has several names."""
    found = []
    for key, pair in list(case.open_pairs()):
        times = _times(pair)
        if times is None:
            continue
        case.explain([key])
        found.append(
            Finding(
                reason="counted_twice",
                sentence=f"the ledger has {times} times the tokens{place(key.model, key.api_key)}: calls are reported "
                "under several ids",
                days=days_of([key]),
                model=key.model,
                api_key=key.api_key,
                tokens=pair.tokens_drift,
                cost_usd=case.cost_drift([key]),
                evidence={"times": times},
            )
        )
    return grouped(found)


def _times(pair: Pair) -> int | None:
    if not pair.bill.tokens:
        return None
    times = round(Decimal(pair.ledger.tokens) / pair.bill.tokens)
    if not 2 <= times <= _MOST_TIMES:
        return None
    bill = Measures(
        input_tokens=(pair.bill.input_tokens or 0) * times,
        output_tokens=(pair.bill.output_tokens or 0) * times,
    )
    return times if tokens_agree(Pair(bill, pair.ledger), _TIGHT) else None


def cache_counted_twice(case: Case) -> Sequence[Finding]:
    """Output agrees and input differs by the cached tokens: one side adds them to a count that has them already, or
    leaves them out."""
    found = []
    for key, pair in list(case.open_pairs()):
        more = (pair.ledger.input_tokens or 0) - (pair.bill.input_tokens or 0)
        outputs = pair.bill.output_tokens or 0, pair.ledger.output_tokens or 0
        if not agree(*outputs, case.tolerance):
            continue
        kinds = {
            "read": pair.bill.cache_read_tokens or pair.ledger.cache_read_tokens or 0,
            "written": pair.bill.cache_write_tokens or pair.ledger.cache_write_tokens or 0,
        }
        kinds["read and written"] = sum(kinds.values())
        kind = next(
            (name for name, cached in kinds.items() if cached and agree(abs(more), cached, _TIGHT)), None
        )
        if kind is None:
            continue
        case.explain([key])
        reason = "cache_counted_twice" if more > 0 else "cache_left_out"
        words = (
            "adds cached tokens to an input that has them already" if more > 0 else "lacks the cached tokens"
        )
        found.append(
            Finding(
                reason=reason,
                sentence=f"the ledger's input{place(key.model, key.api_key)} {words}",
                days=days_of([key]),
                model=key.model,
                api_key=key.api_key,
                tokens=more,
                cost_usd=case.cost_drift([key]),
                evidence={"cached_tokens": kind},
            )
        )
    return grouped(found)


def not_in_bill(case: Case) -> Sequence[Finding]:
    """Metered, final on the vendor's side, and not billed: another account, or a vendor that does not send the bill."""
    found = []
    for key, pair in list(case.open_pairs()):
        if pair.bill.tokens or not pair.ledger.tokens:
            continue
        case.explain([key])
        found.append(
            Finding(
                reason="not_in_bill",
                sentence=f"the bill has nothing{place(key.model, key.api_key)}: another account may pay for it, or "
                "another vendor",
                days=days_of([key]),
                model=key.model,
                api_key=key.api_key,
                tokens=pair.tokens_drift,
                cost_usd=case.cost_drift([key]),
            )
        )
    return grouped(found)


def unexplained(case: Case) -> Sequence[Finding]:
    """What is left."""
    found = []
    for key, pair in list(case.open_pairs()):
        case.explain([key])
        found.append(
            Finding(
                reason="unexplained",
                sentence=f"tokens{place(key.model, key.api_key)} differ, and no rule says why",
                days=days_of([key]),
                model=key.model,
                api_key=key.api_key,
                tokens=pair.tokens_drift,
                cost_usd=case.cost_drift([key]),
            )
        )
    return grouped(found)


ORDER: Final[tuple[Rule, ...]] = (
    day_shift,
    not_billed_yet,
    not_metered,
    counted_twice,
    cache_counted_twice,
    not_in_bill,
    unexplained,
)
"""In the order in which they are asked."""

"""The `[[allowance]]` tables of a company's file: free tiers and prepaid packs.

The form is told in docs/allowances.md. Every reader raises WrongCall with the line, the reason and the fix.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tokenweir.pricing.allowance_counts import EVERY_TOKEN_ONCE, group_of
from tokenweir.pricing.allowances import ACCOUNT_FIELDS, EVERY, Allowance, Every
from tokenweir.pricing.components import OVERLAPS, REQUESTS, TOKEN_COMPONENTS, UNIT_ALIASES, UNIT_PARENTS
from tokenweir.pricing.contracts import ANY_VENDOR
from tokenweir.pricing.matching import Match, match_from_names
from tokenweir.pricing.price import service_tier_name
from tokenweir.pricing.price_tables import match_of, names_in, period, recorded_time
from tokenweir.pricing.toml_tables import Table

_KEYS: Final = frozenset(
    (
        *("id", "vendor", "models", "match", "service_tiers", "regions"),
        *("amount", "counts", "factors", "every", "zone", "per", "where"),
        *("valid_from", "valid_to", "recorded_at", "source"),
    )
)
_COUNTS: Final = "counts = { input = 1, output = 1, cache_read = 0.1 }"
_WHERE: Final = 'where = { tenant = ["acme"] }'
_FACTORS: Final = 'factors = { "glm-4.6" = 2, "glm-4.6v*" = { input = 1.5, output = 3 } }'


def allowance_row(row: Table, label: str, file_recorded_at: datetime | None) -> Allowance:
    """An allowance: so much in each period for each account, for some models of a vendor."""
    table = row.values
    row.refuse_unknown(table, _KEYS)
    vendor = row.text("vendor")
    if vendor == ANY_VENDOR:
        raise row.wrong("vendor", "an allowance is of one vendor", "name the one that sends the bill")
    match, named = None, "*"
    if "models" in table or "match" in table:
        match, named = match_of(row)
    valid_from, valid_to = period(row)
    every, zone = _every(row)
    return Allowance(
        allowance_id=row.text("id", "") or f"{label}:{vendor}/{named}",
        vendor=vendor,
        match=match,
        amount=row.whole("amount", table.get("amount"), 0),
        recorded_at=recorded_time(row, file_recorded_at),
        source=row.text("source"),
        weights=_weights(row, "counts", table["counts"]) if "counts" in table else EVERY_TOKEN_ONCE,
        factors=_factors(row, match),
        every=every,
        zone=zone,
        account_fields=_account_fields(row),
        where=_where(row),
        service_tiers=tuple(service_tier_name(tier) for tier in names_in(row, "service_tiers", "batch")),
        regions=names_in(row, "regions", "cn-*"),
        valid_from=valid_from,
        valid_to=valid_to,
    )


def _every(row: Table) -> tuple[Every, str]:
    given = row.values.get("every", EVERY[0])
    every = next((known for known in EVERY if known == given), None)
    if every is None:
        raise row.wrong("every", f"every {given!r} is no period", "write one of " + ", ".join(EVERY))
    zone = row.text("zone", "UTC")
    if every == "once":
        if "zone" in row.values:
            raise row.wrong(
                "zone",
                "a zone says nothing where the amount is there once",
                'add every = "day" or every = "month", or give valid_from and valid_to with their offset',
            )
        return every, zone
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise row.wrong(
            "zone", f"no zone {zone!r} is known", 'write an IANA name, such as zone = "Asia/Shanghai"'
        ) from error
    return every, zone


def _weights(row: Table, key: str, table: object) -> dict[str, Fraction]:
    """What one of each kind takes: exact numbers above 0."""
    if not isinstance(table, Mapping) or not table:
        raise row.wrong(key, f"{key} is a table of what one of each kind takes", f"write {_COUNTS}")
    weights = {str(name): _positive(row, str(name), value) for name, value in table.items()}
    for name in weights:
        group = group_of(name)
        if name in UNIT_PARENTS:
            raise row.wrong(name, f"{name} is part of {group}", f"count {group} alone")
        if group not in weights:
            raise row.wrong(
                name,
                f"{name} is part of {group}, which is not counted",
                f"count {group} too; what is left out within it counts as it does",
            )
        if name in UNIT_ALIASES:
            own_name = UNIT_ALIASES[name]
            raise row.wrong(name, f"{name} is counted as {own_name}", f"write {own_name}")
        if name.endswith("_tokens") and name.removesuffix("_tokens") in TOKEN_COMPONENTS:
            raise row.wrong(name, f"unknown kind {name}", f"write {name.removesuffix('_tokens')}")
    if REQUESTS in weights and len(weights) > 1:
        raise row.wrong(
            REQUESTS, "requests covers the whole call", "count either requests or what they are made of"
        )
    for one, other, _, total in OVERLAPS:
        if one in weights and other in weights:
            raise row.wrong(
                other,
                f"{one} and {other} may be the same tokens, and how many are is not always known",
                f"weigh one of them, or {total} alone",
            )
    return weights


def _factors(row: Table, match: Match | None) -> tuple[tuple[Match, Fraction | Mapping[str, Fraction]], ...]:
    """Names first, then the longest beginnings: the first that holds is used."""
    factors = row.values.get("factors", {})
    if not isinstance(factors, Mapping):
        raise row.wrong("factors", "factors is a table by model", f"write {_FACTORS}")
    for name in factors:
        if match is not None and not _may_mean(match, name):
            raise row.wrong(
                "factors", f"a factor is for {name}, which the allowance is not for", "mend one of the names"
            )
    ordered = sorted(factors, key=lambda name: (name.endswith("*"), -len(name)))
    return tuple((match_from_names((name,)), _factor(row, name, factors[name])) for name in ordered)


def _factor(row: Table, name: str, value: object) -> Fraction | Mapping[str, Fraction]:
    if isinstance(value, Mapping):
        return _weights(row, "factors", value)
    return _positive(row, "factors", value, f"the factor of {name}")


def _may_mean(match: Match, name: str) -> bool:
    """Whether some model could be meant by the rule and by the name, which may be a beginning with a star."""
    beginning = name.removesuffix("*").lower()
    if match.holds(beginning):
        return True
    if not name.endswith("*"):
        return False
    rules = match.rules if match.operation == "or" else (match,)
    return any(
        rule.operation not in ("equals", "starts_with") or rule.text.lower().startswith(beginning)
        for rule in rules
    )


def _account_fields(row: Table) -> tuple[str, ...]:
    fields = names_in(row, "per", "tenant") if "per" in row.values else ("tenant",)
    _refuse_unknown_fields(row, "per", fields)
    return fields


def _where(row: Table) -> tuple[tuple[str, tuple[str, ...]], ...]:
    where = row.values.get("where", {})
    if not isinstance(where, Mapping):
        raise row.wrong("where", "where is a table of fields and their values", f"write {_WHERE}")
    _refuse_unknown_fields(row, "where", tuple(where))
    found = []
    for field, given in where.items():
        values = [given] if isinstance(given, str) else given
        if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
            raise row.wrong(field, f"{field} is a list of names", f"write {_WHERE}")
        found.append((field, tuple(values)))
    return tuple(found)


def _refuse_unknown_fields(row: Table, key: str, fields: tuple[str, ...]) -> None:
    for field in fields:
        if field not in ACCOUNT_FIELDS:
            raise row.wrong(
                key, f"{field} is no field of an account", "choose of " + ", ".join(ACCOUNT_FIELDS)
            )


def _positive(row: Table, key: str, value: object, called: str = "") -> Fraction:
    """An exact number above 0. called: what it is, where that is not the key."""
    if not row.picos(key, value):
        raise row.wrong(key, f"{called or key} is 0", "leave out what is not counted; a weight is above 0")
    return Fraction(Decimal(str(value)))

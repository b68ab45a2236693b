"""Writes the price book and the catalog of models into the tables `prices` and `models`, for people to join with.

Rows are only added: what is there already is known by its digest, and a row that differs in anything is a further row.
So a write may be repeated, by any number of processes, and one that finds nothing new writes nothing. The ledger itself
never reads these tables; what a call cost is decided when it is metered.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

from sinks.clickhouse.client import LedgerClient
from sinks.clickhouse.ledger import insert_settings
from tokenweir.catalog import Model
from tokenweir.money import decimal_string
from tokenweir.pricing import Price, PriceBook
from tokenweir.pricing.describe import calls_meant, rate_fields
from tokenweir.pricing.matching import rules_of
from tokenweir.pricing.schedule import Schedule

NO_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""`valid_from` of a price that has no start: the column knows no time before 1900."""

_DIGEST_BYTES: Final = 8


def write_price_book(client: LedgerClient, book: PriceBook) -> int:
    """Adds the rows of the book that the ledger lacks; returns how many. Raises StoreUnavailable."""
    contracts = set(map(id, book.contracts.prices.rows()))
    rows = (_price(row, is_contract=id(row) in contracts) for row in book.rows())
    return _write(client, "prices", rows)


def write_models(client: LedgerClient, models: Iterable[Model]) -> int:
    """Adds the models that the ledger lacks or knows otherwise; returns how many. Raises StoreUnavailable."""
    return _write(client, "models", map(_model, models))


def _write(client: LedgerClient, table: str, rows: Iterable[Mapping[str, Any]]) -> int:
    written = {digest for (digest,) in client.query(f"SELECT digest FROM {table} FINAL")}  # noqa: S608 - a name of ours
    lines: dict[int, bytes] = {}
    columns: tuple[str, ...] = ()
    for row in rows:
        text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
        digest = int.from_bytes(blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest())
        if digest not in written:
            lines[digest] = f'{text[:-1]},"digest":{digest}}}\n'.encode()
            columns = (*row, "digest")
    if lines:
        client.insert_lines(
            table, columns, b"".join(lines.values()), insert_settings(client), doing=f"storing {table}"
        )
    return len(lines)


def _price(row: Price, *, is_contract: bool) -> dict[str, Any]:
    rates = {name: rate_fields(name, rate) for name, rate in row.cards[0].rates} if row.cards else {}
    rules = rules_of(row.match)
    return {
        "price_id": row.price_id,
        "vendor": row.vendor,
        "model": rules[0].text if len(rules) == 1 and rules[0].operation == "equals" else str(row.match),
        "names": [rule.text for rule in rules if rule.operation == "equals"],
        "region": ",".join(row.regions),
        "service_tier": row.service_tier,
        "hours": _hours(row.schedule),
        "valid_from": _time(row.valid_from or NO_START),
        "valid_to": _time(row.valid_to),
        "recorded_at": _time(row.recorded_at),
        "currency": row.currency,
        "is_contract": is_contract,
        "rates": {name: fields["price"] for name, fields in rates.items()},
        "per": {name: fields["per"] for name, fields in rates.items()},
        "terms": _terms(row),
        "factor": None if row.factor is None else format(Decimal(row.factor[0]) / row.factor[1], "f"),
        "factor_of": sorted(row.factor_of),
        "no_price": row.no_price,
        "source": row.source,
        "source_at": _day(row.source_at),
        "confidence": row.confidence,
    }


def _terms(row: Price) -> str:
    """All that the price is made of, where its first rates do not say it: further cards, steps, least counts."""
    cards = []
    for card in row.cards:
        least = {"minimum_charge": decimal_string(card.minimum_picos)} if card.minimum_picos else {}
        rates = {name: rate_fields(name, rate) for name, rate in card.rates}
        cards.append(calls_meant(card) | least | {"rates": rates})
    is_plain = len(cards) <= 1 and all(
        card.keys() == {"rates"} and all(rate.keys() == {"price", "per"} for rate in card["rates"].values())
        for card in cards
    )
    return "" if is_plain else json.dumps(cards)


def _hours(schedule: Schedule | None) -> str:
    if schedule is None:
        return ""
    told = {name: value for name, value in schedule._asdict().items() if value}
    for name in ("except_days", "also_days"):
        if name in told:
            told[name] = [day.isoformat() for day in sorted(told[name])]
    return json.dumps(told)


def _model(model: Model) -> dict[str, Any]:
    first = next((each.model for each in model.successors if each.recommended), "")
    return {
        "vendor": model.vendor,
        "model": model.model,
        "platform": model.platform,
        "aliases": list(model.aliases),
        "family": model.family,
        "context_tokens": model.context_tokens or 0,
        "max_input_tokens": model.max_input_tokens,
        "max_output_tokens": model.max_output_tokens,
        "operations": list(model.operations),
        "input": list(model.input),
        "output": list(model.output),
        "can": list(model.can),
        "cannot": list(model.cannot),
        "released_at": _midnight(model.released_on),
        "deprecated_at": _midnight(model.deprecated_on),
        "retires_at": _midnight(model.retires_on),
        "retires_not_before": _midnight(model.retires_not_before),
        "stated": model.stated.state if model.stated is not None else "",
        "stated_on": _day(model.stated.on if model.stated is not None else None),
        "replaced_by": first,
        "successors": [f"{each.vendor}/{each.model}" for each in model.successors],
        "recorded_at": _time(model.recorded_at),
        "sources": {name: str(source) for name, source in sorted(model.sources.items())},
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _midnight(day: date | None) -> str | None:
    return None if day is None else f"{day.isoformat()}T00:00:00Z"

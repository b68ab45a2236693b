"""Rows of the catalog kept by hand in TOML: the project's own data and a company's file.

The form is told in docs/models.md. A file with a mistake is refused as a whole, with the line, the reason and the fix.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from tokenweir.catalog.model import ABILITIES, MODALITIES, OPERATIONS, STATES, Source, Stated, Successor
from tokenweir.pricing.matching import match_from_mapping
from tokenweir.pricing.toml_tables import Table, document_of, tables_of, text_of, top_table

_FILE_KEYS: Final = frozenset(("vendor", "recorded_at", "source", "model", "pointer"))
_SOURCE_KEYS: Final = frozenset(("name", "page", "seen_on", "via"))
_POINTER_KEYS: Final = frozenset(
    ("vendor", "name", "model", "valid_from", "valid_to", "recorded_at", "source")
)
_SUCCESSOR_KEYS: Final = frozenset(("vendor", "model", "recommended", "outside"))
_DATES: Final = ("released_on", "deprecated_on", "retires_on", "retires_not_before")
_COUNTS: Final = ("context_tokens", "max_input_tokens", "max_output_tokens")
_LISTS: Final[dict[str, tuple[str, ...] | None]] = {
    "aliases": None,
    "operations": OPERATIONS,
    "input": MODALITIES,
    "output": MODALITIES,
    "can": ABILITIES,
    "cannot": ABILITIES,
}
_LIMITS: Final = frozenset((*_COUNTS, "operations", "input", "output", "can", "cannot"))
FACTS: Final = frozenset((*_DATES, *_COUNTS, *_LISTS, "family", "match", "state", "successors"))
_MODEL_KEYS: Final = FACTS | {
    "vendor",
    "model",
    "platform",
    "recorded_at",
    "source",
    "limits_source",
    "from",
    "withdraws",
}


@dataclass(frozen=True, slots=True)
class Row:
    """What one row says of a model: facts by their names in Model, with the source of each.

    withdraws: facts of earlier rows that no longer hold. table: for pointing at a mistake.
    """

    vendor: str
    model: str
    platform: str
    recorded_at: datetime
    facts: Mapping[str, Any]
    sources: Mapping[str, Source]
    withdraws: tuple[str, ...]
    table: Table


@dataclass(frozen=True, slots=True)
class Pointer:
    """A name that means another model from `valid_from` up to but not `valid_to`, such as a latest one."""

    vendor: str
    name: str
    model: str
    recorded_at: datetime
    source: Source
    valid_from: date
    valid_to: date
    table: Table


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """What one file holds, or several."""

    rows: tuple[Row, ...]
    pointers: tuple[Pointer, ...]


def read_catalog_file(path: Path) -> CatalogFile:
    """A company's file. Raises WrongCall with the line, the reason and the fix."""
    return read_catalog(text_of(path), path.name)


def read_catalog(text: str, name: str) -> CatalogFile:
    """Rows and pointers from TOML. Raises WrongCall as above; name: of the file, for the message."""
    document = document_of(text, name)
    top = top_table(text, document, name)
    top.refuse_unknown(document, _FILE_KEYS)
    sources: dict[str, Source] = {}
    for table in tables_of(text, document, "source", name):
        table.refuse_unknown(table.values, _SOURCE_KEYS)
        key = table.text("name")
        if key in sources:
            raise table.wrong("name", f"there are two sources named {key}", "name one of them otherwise")
        seen_on = _day(table, "seen_on")
        if seen_on is None:
            raise table.wrong("seen_on", "seen_on is missing", "add the day on which the page was seen")
        sources[key] = Source(table.text("page"), seen_on, table.text("via", ""))
    reader = _Reader(top, document, sources)
    rows = tuple(reader.row(table) for table in tables_of(text, document, "model", name))
    refuse_repeats(rows)
    return CatalogFile(
        rows,
        tuple(reader.pointer(table) for table in tables_of(text, document, "pointer", name)),
    )


def refuse_repeats(rows: Iterable[Row]) -> None:
    """Raises WrongCall for a model that is told twice as of the same time."""
    seen: dict[tuple[str, str, str, datetime], Row] = {}
    for row in rows:
        key = (row.vendor, row.model.lower(), row.platform, row.recorded_at)
        if (first := seen.setdefault(key, row)) is not row:
            raise row.table.wrong(
                "model",
                f"{row.model} is already told in {first.table.file}, row {first.table.number}",
                "put both into one row; a later announcement has a later recorded_at",
            )


class _Reader:
    """Reads the tables of one file, with what its top says for all of them."""

    def __init__(self, top: Table, document: Mapping[str, Any], sources: Mapping[str, Source]) -> None:
        self._vendor = top.text("vendor", "")
        self._recorded_at = top.moment(document, "recorded_at")
        self._sources = sources

    def row(self, table: Table) -> Row:
        """A model's row."""
        values = table.values
        table.refuse_unknown(values, _MODEL_KEYS)
        vendor, model = self._of(table), table.text("model")
        facts: dict[str, Any] = {}
        for key in _DATES:
            if (day := _day(table, key)) is not None:
                facts[key] = day
        for key in _COUNTS:
            if key in values:
                facts[key] = table.whole(key, values[key], 1)
        for key, known in _LISTS.items():
            if key in values:
                facts[key] = _names(table, key, known)
        if family := table.text("family", ""):
            facts["family"] = family
        if "match" in values:
            try:
                facts["match"] = match_from_mapping(values["match"])
            except ValueError as error:
                raise table.wrong("match", str(error), "mend the rule") from error
        if "successors" in values:
            facts["successors"] = _successors(table, vendor, model)
        sources = self._sources_of(table)
        if state := table.text("state", ""):
            if state not in STATES:
                raise table.wrong("state", f"{state!r} is no state", "the states are " + ", ".join(STATES))
            facts["stated"] = Stated(state, sources["state"].seen_on)
        withdraws = _names(table, "withdraws", tuple(sorted(FACTS))) if "withdraws" in values else ()
        if again := sorted(set(withdraws) & values.keys()):
            raise table.wrong("withdraws", f"{again[0]} is both stated and withdrawn", "keep one")
        if not facts and not withdraws:
            raise table.wrong("model", "the row says nothing of the model", "add what its source says")
        return Row(
            vendor,
            model,
            table.text("platform", ""),
            self._recorded(table),
            facts,
            {key: sources["state" if key == "stated" else key] for key in facts},
            tuple("stated" if key == "state" else key for key in withdraws),
            table,
        )

    def pointer(self, table: Table) -> Pointer:
        """A pointer's row."""
        table.refuse_unknown(table.values, _POINTER_KEYS)
        valid_from = _day(table, "valid_from") or date.min
        valid_to = _day(table, "valid_to") or date.max
        if valid_to <= valid_from:
            raise table.wrong(
                "valid_to",
                "the pointer ends before it begins",
                "valid_to is the first day it no longer holds",
            )
        name, model = table.text("name"), table.text("model")
        if name.lower() == model.lower():
            raise table.wrong("model", "the name points at itself", "name the model that it means")
        return Pointer(
            self._of(table),
            name,
            model,
            self._recorded(table),
            self._source(table, "source", table.text("source")),
            valid_from,
            valid_to,
            table,
        )

    def _of(self, table: Table) -> str:
        vendor = table.text("vendor", self._vendor)
        if not vendor:
            raise table.wrong(
                "vendor",
                "the vendor is not stated",
                'add vendor = "openai" to the row or at the top of the file',
            )
        return vendor

    def _recorded(self, table: Table) -> datetime:
        recorded_at = table.moment(table.values, "recorded_at") or self._recorded_at
        if recorded_at is None:
            raise table.wrong(
                "recorded_at",
                "when this became known is not stated",
                "add recorded_at = 2026-11-25 to the row or at the top of the file",
            )
        return recorded_at

    def _sources_of(self, table: Table) -> dict[str, Source]:
        """The source of each fact: that of the row, that of its limits and abilities, those stated one by one."""
        source = self._source(table, "source", table.text("source"))
        sources = dict.fromkeys(FACTS, source)
        if limits := table.text("limits_source", ""):
            sources |= dict.fromkeys(_LIMITS, self._source(table, "limits_source", limits))
        others = table.values.get("from", {})
        form = 'write from = { litellm = ["retires_on"] }'
        if not isinstance(others, dict):
            raise table.wrong("from", "from is a table of sources and what each says", form)
        for name, facts in others.items():
            if not isinstance(facts, list) or not facts:
                raise table.wrong("from", f"what is from {name} is a list of keys", form)
            if unknown := [key for key in facts if key not in FACTS or key not in table.values]:
                raise table.wrong("from", f"the row does not state {unknown[0]}", "name keys of this row")
            sources |= dict.fromkeys(facts, self._source(table, "from", name))
        return sources

    def _source(self, table: Table, key: str, name: str) -> Source:
        if name not in self._sources:
            known = ", ".join(sorted(self._sources)) or "none yet"
            raise table.wrong(
                key,
                f"there is no source named {name}",
                f"add a [[source]] with name, page and seen_on; there are {known}",
            )
        return self._sources[name]


def _day(table: Table, key: str) -> date | None:
    value = table.values.get(key)
    if value is None:
        return None
    if isinstance(value, datetime) or not isinstance(value, date):
        raise table.wrong(key, f"{key} {value!r} is not a date", f"write {key} = 2026-11-01, without quotes")
    return value


def _names(table: Table, key: str, known: tuple[str, ...] | None) -> tuple[str, ...]:
    value = table.values[key]
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise table.wrong(key, f"{key} is a list of names", f'write {key} = ["…"]')
    for name in value:
        if known is not None and name not in known:
            raise table.wrong(key, f"{key} does not know {name}", "the names are " + ", ".join(known))
    if len({name.lower() for name in value}) < len(value):
        raise table.wrong(key, f"{key} has a name twice", "leave one out")
    return tuple(value)


def _successors(table: Table, vendor: str, model: str) -> tuple[Successor, ...]:
    value = table.values["successors"]
    form = 'write ["gpt-5.6-sol"] or [{ vendor = "google", model = "gemini-3.6-flash" }]'
    if not isinstance(value, list):
        raise table.wrong("successors", "successors is a list", form)
    found = []
    for entry in value:
        entry = entry if isinstance(entry, dict) else {"model": entry}
        table.refuse_unknown(entry, _SUCCESSOR_KEYS)
        successor = Successor(
            entry.get("vendor", vendor),
            entry.get("model", ""),
            entry.get("recommended", True),
            entry.get("outside", False),
        )
        if not all(isinstance(name, str) and name for name in successor[:2]):
            raise table.wrong("successors", "a successor is a model's name", form)
        if not all(isinstance(flag, bool) for flag in successor[2:]):
            raise table.wrong("successors", "recommended and outside are true or false", form)
        if successor[:2] == (vendor, model):
            raise table.wrong(
                "successors", "the model succeeds itself", "name the model that takes its place"
            )
        found.append(successor)
    return tuple(found)

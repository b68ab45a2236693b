"""One vendor's models as known at one time: rows put together, and the names by which each is found."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from tokenweir.catalog.model import Found, Model, Source
from tokenweir.catalog.reading import Pointer, Row
from tokenweir.pricing.matching import Match, match_from_names, with_dashed_date

_DATE_AT_END: Final = re.compile(r"[-@]20\d{2}-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])$")


class VendorView:
    """Models of one vendor. rows, pointers: those known, the later of which win.

    Raises WrongCall, with the line, for rows that contradict each other.
    """

    def __init__(self, rows: Iterable[Row], pointers: Sequence[Pointer]) -> None:
        self._models: dict[tuple[str, str], Model] = {}
        self._newest: dict[tuple[str, str], Row] = {}
        self._names: dict[str, str] = {}
        self._rules: list[tuple[Match, str]] = []
        self._pointers: dict[str, list[Pointer]] = {}
        together: dict[tuple[str, str], list[Row]] = {}
        for row in rows:
            together.setdefault((row.model.lower(), row.platform), []).append(row)
        for key, of_model in together.items():
            model = _model(of_model)
            self._newest[key] = of_model[-1]
            if (mistake := model.mistake()) is not None:
                raise of_model[-1].table.wrong(*mistake)
            self._models[key] = model
        for model in self._models.values():
            self._name(model)
        for pointer in pointers:
            self._pointers.setdefault(pointer.name.lower(), []).append(pointer)
        dashed = {with_dashed_date(name): name for name in [name for name, _ in self._models]}
        dashed |= {with_dashed_date(alias): name for alias, name in self._names.items()}
        self._dashed: Mapping[str, str] = dashed

    def models(self) -> list[Model]:
        """Every model, by name."""
        return [self._models[key] for key in sorted(self._models)]

    def pointers(self) -> list[Pointer]:
        """Every pointer that is known."""
        return [pointer for pointers in self._pointers.values() for pointer in pointers]

    def newest_row(self, model: Model) -> Row:
        """The row that last said something of the model, for pointing at a mistake."""
        return self._newest[model.model.lower(), model.platform]

    def find(self, name: str, platform: str, on: date, passed: frozenset[str] = frozenset()) -> Found | None:
        """The model that `name` means on a day; on a platform of which nothing is known, as at the usual API.

        passed: names that pointed here.
        """
        name = name.lower()
        if (model := self._get(name, platform)) is not None:
            return Found(model, "name")
        pointed = self._pointed(name, on)
        if pointed is not None and pointed not in passed:
            found = self.find(pointed, platform, on, passed | {name})
            return found and Found(found.model, "pointer")
        if (model := self._get(self._by_alias(name), platform)) is not None:
            return Found(model, "alias")
        if (model := self._get(self._dashed.get(with_dashed_date(name), ""), platform)) is not None:
            return Found(model, "alias")
        undated = _DATE_AT_END.sub("", name)
        model = self._get(undated, platform) or self._get(self._by_alias(undated), platform)
        return Found(model, "dated") if model is not None else None

    def names(self) -> set[str]:
        """Every name that is written out: models, aliases and pointers."""
        written = {model.model for model in self._models.values()} | {
            alias for model in self._models.values() for alias in model.aliases if not alias.endswith("*")
        }
        return written | {pointer.name for pointer in self.pointers()}

    def _get(self, name: str, platform: str) -> Model | None:
        model = self._models.get((name, platform)) or self._models.get((name, ""))
        if model is None and not platform:
            # Known on a platform only.
            model = next((of for (key, _), of in self._models.items() if key == name), None)
        return model

    def _by_alias(self, name: str) -> str:
        if name in self._names:
            return self._names[name]
        return next((model for rule, model in self._rules if rule.holds(name)), "")

    def _pointed(self, name: str, on: date) -> str | None:
        """Where a pointer leads on a day: the last recorded, then the last begun, of those that hold."""
        holding = [p for p in self._pointers.get(name, ()) if p.valid_from <= on < p.valid_to]
        if not holding:
            return None
        return max(holding, key=lambda pointer: (pointer.recorded_at, pointer.valid_from)).model.lower()

    def _name(self, model: Model) -> None:
        key = model.model.lower()
        for alias in model.aliases:
            name = alias.lower()
            other = key if name.endswith("*") else name if (name, "") in self._models else None
            other = other or self._names.get(name, key)
            if other != key:
                raise self.newest_row(model).table.wrong(
                    "aliases",
                    f"{alias} is already a name of {other}",
                    "keep it at one of the two; a name that moves on a date is a [[pointer]]",
                )
            if name.endswith("*"):
                self._rules.append((match_from_names((alias,)), key))
            else:
                self._names[name] = key
        if model.match is not None:
            self._rules.append((model.match, key))


def _model(rows: Sequence[Row]) -> Model:
    """The rows of one model put together: a later row replaces the facts that it states."""
    facts: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    for row in rows:
        for name in row.withdraws:
            facts.pop(name, None)
            sources.pop(name, None)
        facts |= row.facts
        sources |= row.sources
    last = rows[-1]
    return Model(
        vendor=last.vendor,
        model=rows[0].model,
        platform=last.platform,
        recorded_at=max(row.recorded_at for row in rows),
        sources=sources,
        **facts,
    )

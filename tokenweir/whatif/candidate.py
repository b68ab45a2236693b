"""A model that traffic might move to, and which calls it cannot take, by what the catalog says of it.

A fact that the catalog does not have excludes nothing; `unknown_facts` names it, so that the answer can say that it was
not checked. Of several reasons the first counts, in the order of `REASONS`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from functools import cached_property
from typing import Final, TypeVar

from tokenweir.catalog import Found, Model
from tokenweir.catalog.model import OPERATIONS
from tokenweir.money import divide_half_even
from tokenweir.pricing.components import UNIT_TOKEN_FIELDS
from tokenweir.usage.event import TOKEN_FIELDS
from tokenweir.whatif.reasons import Reason
from tokenweir.whatif.traffic import Columns, Group

_Value = TypeVar("_Value")

_ALIKE: Final = {"text_completion": "chat"}
"""Operations that one asks of a chat model today."""

_INPUT_MODALITIES: Final = (("input_audio_tokens", "audio"), ("input_image_tokens", "image"))
_OUTPUT_MODALITIES: Final = (("output_audio_tokens", "audio"), ("output_image_tokens", "image"))
_INPUT_UNITS: Final = (("input_video_tokens", "video"), ("input_audio_seconds", "audio"))
_OUTPUT_UNITS: Final = (("output_video_tokens", "video"), ("output_audio_seconds", "audio"))
_TOTALS: Final = ("input_tokens", "output_tokens")


@dataclass(frozen=True)
class Candidate:
    """A model of a vendor.

    found: what the catalog knows of it, None where nothing. tokens_factor: its tokens for one of the call's. region:
    where it would be called; None for the call's own region.
    """

    vendor: str
    model: str
    found: Found | None = None
    tokens_factor: Decimal = Decimal(1)
    region: str | None = None

    @property
    def name(self) -> str:
        """`vendor/model`."""
        return f"{self.vendor}/{self.model}"

    @property
    def known(self) -> Model | None:
        """What the catalog says of it."""
        return self.found.model if self.found is not None else None

    def counted(self, columns: Columns) -> Columns:
        """The calls as this model's tokenizer is assumed to count them.

        Totals are rounded to the nearest token, half to even, and what is part of them down, so that no part exceeds
        its total.
        """
        numerator, denominator = self.tokens_factor.as_integer_ratio()
        if numerator == denominator:
            return columns
        changed = dict(columns)
        for name in TOKEN_FIELDS:
            if name in _TOTALS:
                changed[name] = [divide_half_even(count * numerator, denominator) for count in columns[name]]
            else:
                changed[name] = [count * numerator // denominator for count in columns[name]]
        changed["units"] = [
            {
                unit: int(amount) * numerator // denominator
                if unit in UNIT_TOKEN_FIELDS and amount == int(amount)
                else amount
                for unit, amount in units.items()
            }
            for units in columns["units"]
        ]
        return changed

    def unable(self, group: Group, columns: Columns, at: datetime | None) -> dict[int, Reason]:
        """Which of the calls of a group, by place, it cannot take, and why.

        columns: of the group, as this model counts them. at: when they would be made; None at their own times. Calls
        that it has answered itself are held to its end alone: its limits were then wider than what is known.
        """
        found: dict[int, Reason] = {}
        is_own = (group.key.vendor, group.key.model) == (self.vendor, self.model)
        for reason, places in self._reasons(group.operation, columns, at, is_own=is_own):
            for place in places:
                found.setdefault(place, reason)
        return found

    @cached_property
    def unknown_facts(self) -> tuple[str, ...]:
        """What could not be checked because the catalog does not say."""
        known = self.known
        if known is None:
            return ("its limits, abilities and retirement",)
        facts = (
            (known.longest_input_tokens, "its context length"),
            (known.max_output_tokens, "its longest output"),
            (known.operations, "its operations"),
            (known.input, "what it takes"),
            (known.output, "what it gives"),
        )
        return tuple(name for fact, name in facts if not fact)

    def _reasons(
        self, operation: str, columns: Columns, at: datetime | None, *, is_own: bool
    ) -> Iterator[tuple[Reason, Sequence[int]]]:
        known = self.known
        if known is None:
            return
        yield from self._retired(known, columns["time"], at)
        if is_own:
            return
        asked = _ALIKE.get(operation, operation)
        offered = {_ALIKE.get(name, name) for name in known.operations}
        if offered and asked in OPERATIONS and asked not in offered:
            yield (
                Reason("operation_not_offered", f"{operation}; it does {', '.join(known.operations)}"),
                range(len(columns["time"])),
            )
        yield from self._modalities(known, columns)
        yield from self._limits(known, columns)

    def _retired(
        self, known: Model, times: Sequence[datetime], at: datetime | None
    ) -> Iterator[tuple[Reason, Sequence[int]]]:
        if at is not None:
            if known.state_on(at.date()) == "retired":
                on = f"since {known.retires_on}" if known.retires_on is not None else f"on {at.date()}"
                yield Reason("retired", on), range(len(times))
        elif known.retires_on is not None:
            end = datetime.combine(known.retires_on, time(), UTC)
            yield Reason("retired", f"since {known.retires_on}"), _where(times, lambda moment: moment >= end)

    def _modalities(self, known: Model, columns: Columns) -> Iterator[tuple[Reason, Sequence[int]]]:
        for verb, can, fields, units in (
            ("takes", known.input, _INPUT_MODALITIES, _INPUT_UNITS),
            ("gives", known.output, _OUTPUT_MODALITIES, _OUTPUT_UNITS),
        ):
            if not can:
                continue
            for field, modality in fields:
                if modality not in can and any(columns[field]):
                    yield _not_taken(modality, verb, can), _where(columns[field], bool)
            for unit, modality in units:
                if modality not in can and any(columns["units"]):
                    counts = [stated.get(unit, 0) for stated in columns["units"]]
                    yield _not_taken(modality, verb, can), _where(counts, bool)

    def _limits(self, known: Model, columns: Columns) -> Iterator[tuple[Reason, Sequence[int]]]:
        inputs, outputs = columns["input_tokens"], columns["output_tokens"]
        longest, most = known.longest_input_tokens, known.max_output_tokens
        if longest is not None:
            yield Reason("context_too_short", f"{longest:,} tokens of input"), _above(inputs, longest)
        if known.context_tokens is not None:
            together = list(map(int.__add__, inputs, outputs))
            yield (
                Reason("context_too_short", f"{known.context_tokens:,} tokens of input and output"),
                _above(together, known.context_tokens),
            )
        if most is not None:
            yield Reason("output_too_long", f"{most:,} tokens of output"), _above(outputs, most)


def _not_taken(modality: str, verb: str, can: Sequence[str]) -> Reason:
    return Reason("modality_not_taken", f"{modality}; it {verb} {', '.join(can)}")


def _above(counts: Sequence[int], limit: int) -> Sequence[int]:
    if max(counts, default=0) <= limit:
        return ()
    return _where(counts, lambda count: count > limit)


def _where(values: Sequence[_Value], holds: Callable[[_Value], bool]) -> Sequence[int]:
    return [place for place, value in enumerate(values) if holds(value)]

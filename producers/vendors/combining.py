"""Readers made of readers: for a vendor that answers in several shapes, or that bills one answer as several models.

Invariants: nothing here reads a field; what is counted is decided by the readers that are put together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from producers.vendors.answer import Answer, Reading
from producers.vendors.registry import Merger, Reader, Sign, stream, surface


def never(_: Answer) -> bool:
    """For a surface that is read only where it is named: another one is found in its place."""
    return False


def first_fitting(*shapes: tuple[Sign, Reader]) -> Reader:
    """A reader of the first shape that an answer looks like; the last shape's says what is missing where none fits."""

    def read(answer: Answer) -> Reading:
        for looks_like, reader in shapes:
            if looks_like(answer):
                return reader(answer)
        return shapes[-1][1](answer)

    return read


def batch_line(*shapes: tuple[Sign, Reader]) -> Reader:
    """A reader of one line of a batch's output file: the answer it holds, at the batch's price."""
    read_body = first_fitting(*shapes)

    def read(answer: Answer) -> Reading:
        return replace(read_body(answer.part("response.body")), service_tier="batch")

    return read


def also_named(vendor: str, names: Iterable[str], read: Reader, merge: Merger | None = None) -> None:
    """Registers further names under which a surface, and its stream where `merge` is given, can be asked for."""
    for name in names:
        surface(vendor, name, looks_like=never)(read)
        if merge is not None:
            stream(vendor, name, looks_like=never)(merge)


def one_call_a_model(whole: Reading, parts: Sequence[Reading]) -> Reading:
    """`whole` with the counts of the first model of `parts`, and one inner call for each further model.

    Parts of one model are added up. Where there is no part, `whole` is as it was. An answer that names no model in
    a part takes the name from `whole`.
    """
    sums: dict[str, Reading] = {}
    for part in parts:
        model = part.model or whole.model
        sofar = sums.get(model)
        counts = part.counts if sofar is None else _sum(sofar, part)
        sums[model] = replace(sofar or part, model=model, counts=counts, stated_total=None)
    if not sums:
        return whole
    first, *others = sums.values()
    return replace(
        whole, model=first.model, counts=first.counts, stated_total=first.stated_total, inner=tuple(others)
    )


def _sum(one: Reading, other: Reading) -> dict[str, int]:
    names = [*one.counts, *(name for name in other.counts if name not in one.counts)]
    return {name: one.counts.get(name, 0) + other.counts.get(name, 0) for name in names}

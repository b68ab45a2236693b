"""Which models the names on a command line mean: candidates by what prices and catalog know, traffic by the ledger."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Final

from tokenweir.catalog import Catalog
from tokenweir.errors import WrongCall
from tokenweir.pricing import PriceBook
from tokenweir.pricing.aliases import profile_model
from tokenweir.pricing.price import END
from tokenweir.whatif.candidate import Candidate

_MAX_NEAREST: Final = 5

Pair = tuple[str, str]


class Names:
    """Finds candidates by `vendor/model`, or by a bare name that one vendor has."""

    def __init__(self, book: PriceBook, catalog: Catalog) -> None:
        self._book = book
        self._catalog = catalog

    def candidate(self, name: str, on: date) -> Candidate:
        """The model that `name` means on a day.

        Raises WrongCall where nobody has it, with the nearest names, and where several vendors do, with the choices.
        """
        vendor, slash, model = name.partition("/")
        if slash and self._knows(vendor, model, on):
            return self._of(vendor, model, on)
        choices = [vendor for vendor in sorted(self._vendors) if self._knows(vendor, name, on)]
        if len(choices) == 1:
            return self._of(choices[0], name, on)
        if choices:
            raise _several(name, [(vendor, name) for vendor in choices])
        whose = vendor if slash and vendor in self._catalog.vendors else None
        near = self._catalog.nearest(model if whose else name, whose)
        raise WrongCall(
            f"neither the prices nor the catalog know a model {name}",
            hint=_meant(near)
            or "`weir models` lists the models; a model of your own needs a price of its own",
        )

    @cached_property
    def _vendors(self) -> set[str]:
        return {row.vendor for row in self._book.rows()} | set(self._catalog.vendors)

    def _of(self, vendor: str, model: str, on: date) -> Candidate:
        return Candidate(vendor, model, self._catalog.find(vendor, model, on=on))

    def _knows(self, vendor: str, model: str, on: date) -> bool:
        contracts = self._book.contracts
        sources = (*self._book.sources, contracts.prices)
        if any(source.rows_for(vendor, model) for source in sources):
            return True
        if contracts.aliases.of(vendor, model, END):
            return True
        if vendor in self._catalog.vendors and self._catalog.find(vendor, model, on=on) is not None:
            return True
        behind = profile_model(vendor, model)
        return behind is not None and self._knows(behind.vendor, behind.model, on)


def matching_models(names: Sequence[str], pairs: Iterable[Pair]) -> set[Pair]:
    """The (vendor, model) of `pairs` that any of `names` means: `vendor/model`, a bare name, either with stars.

    Raises WrongCall for a name that means none, and for a bare one without a star that several vendors have.
    """
    known = sorted(set(pairs))
    found: set[Pair] = set()
    for name in names:
        hits = _meaning(name.lower(), known)
        if not hits:
            written = {f"{vendor}/{model}": (vendor, model) for vendor, model in known}
            near = get_close_matches(name.lower(), written, _MAX_NEAREST, 0.4)
            raise WrongCall(
                f"no call is of {name}",
                hint=_meant([written[each] for each in near] or known[:_MAX_NEAREST])
                or "`weir spend --by vendor,model` lists what the ledger has",
            )
        if "*" not in name and len({vendor for vendor, _ in hits}) > 1:
            raise _several(name, hits)
        found.update(hits)
    return found


def _meaning(name: str, known: Sequence[Pair]) -> list[Pair]:
    means: Callable[[str], bool] = (
        (lambda text: fnmatchcase(text, name)) if "*" in name else (lambda text: text == name)
    )
    return [pair for pair in known if means(pair[1].lower()) or means("/".join(pair).lower())]


def _several(name: str, choices: Sequence[Pair]) -> WrongCall:
    written = ", ".join(f"{vendor}/{model}" for vendor, model in choices)
    return WrongCall(f"several vendors have a model {name}", hint=f"Name one: {written}")


def _meant(near: Sequence[Pair]) -> str:
    if not near:
        return ""
    return "Did you mean " + ", ".join(f"{vendor}/{model}" for vendor, model in near) + "?"

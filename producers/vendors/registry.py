"""The vendors' readers, found by vendor and surface.

A module of this package registers the readers of one vendor when it is imported, and all modules are imported
on first use: adding a vendor is one new file.

    @surface("acme", "chat", looks_like=lambda answer: answer.has_any("usage.tokens_in"))
    def read_chat(answer: Answer) -> Reading: ...

Where no surface is named, the vendor's surfaces are tried in the order in which they were registered, and the
first whose `looks_like` says so is taken; register the special ones first. What is read with them is the matter of
`producers.vendors.reading`.

A vendor without readers of its own is read as ANY_VENDOR, under its own name, unless that is all but a known one.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, Final

from producers.vendors.answer import Answer, Reading
from producers.vendors.names import vendor_name
from tokenweir.errors import RejectedInput, WrongCall

ANY_VENDOR: Final = "openai_compatible"
"""Whose readers are taken for a vendor that has none: the shapes of OpenAI and Anthropic, which most hosts send."""

_TYPING_ERROR: Final = 0.9
"""How much of a name must agree with a known one to be taken for it, mistyped, instead of for another vendor."""

_FOUND_BY_ITSELF: Final = ("default", "errors")

Reader = Callable[[Answer], Reading]
Sign = Callable[[Answer], bool]


@dataclass(frozen=True, slots=True)
class Surface:
    """One kind of answer of one vendor."""

    name: str
    read: Reader
    looks_like: Sign


@dataclass(frozen=True, slots=True)
class Merged:
    """A streamed answer put together.

    body: what the same call would have given unstreamed, as far as it is known. complete: whether the stream came to
    its end; a stream that was cut off is counted as far as its usage is known and marked. stated: whether it told its
    usage at all. status, error_code: how the call ended, where the stream tells more than its body would. further:
    calls of the same stream that were billed after this one (a session holds several), read by the same surface.
    """

    body: Mapping[str, Any]
    complete: bool = True
    stated: bool = True
    status: str = ""
    error_code: str = ""
    further: Sequence["Merged"] = ()


Merger = Callable[[Sequence[Answer]], Merged]


@dataclass(frozen=True, slots=True)
class Stream:
    """How the chunks of one surface of one vendor are put together."""

    surface: str
    merge: Merger
    looks_like: Sign


_SURFACES: dict[str, dict[str, Surface]] = {}
_STREAMS: dict[str, dict[str, Stream]] = {}
_SIGNS: dict[str, Sign] = {}
_OTHER_NAMES: dict[tuple[str, str], str] = {}


def surface(vendor: str, name: str, *, looks_like: Sign) -> Callable[[Reader], Reader]:
    """Registers a reader. looks_like: whether an answer of this vendor is of this surface; must not raise."""

    def register(read: Reader) -> Reader:
        _SURFACES.setdefault(vendor, {})[name] = Surface(name, read, looks_like)
        return read

    return register


def stream(vendor: str, name: str, *, looks_like: Sign) -> Callable[[Merger], Merger]:
    """Registers what merges the chunks of a streamed answer of surface `name`.

    looks_like: whether one chunk is of such a stream; one chunk that says so is enough. Must not raise.
    """

    def register(merge: Merger) -> Merger:
        _STREAMS.setdefault(vendor, {})[name] = Stream(name, merge, looks_like)
        return merge

    return register


def other_names(vendor: str, names: Mapping[str, Sequence[str]]) -> None:
    """Further names by which surfaces of `vendor` can be asked for, by the surface's own; they are listed nowhere."""
    _OTHER_NAMES.update(((vendor, other), name) for name, others in names.items() for other in others)


def sign(vendor: str) -> Callable[[Sign], Sign]:
    """Registers what tells that an answer of unknown origin is this vendor's and no other's."""

    def register(tells: Sign) -> Sign:
        _SIGNS[vendor] = tells
        return tells

    return register


@cache
def load() -> None:
    """Imports every module of this package, which registers its readers."""
    package = importlib.import_module("producers.vendors")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"producers.vendors.{module.name}")


def vendors() -> list[str]:
    """The vendors that have a reader, by name."""
    load()
    return sorted(_SURFACES)


def surfaces(vendor: str) -> list[str]:
    """The surfaces that `vendor` can be read as. Raises WrongCall for a name that is a known one, mistyped."""
    return list(surfaces_of(vendor))


def detect(vendor: str, body: Mapping[str, Any]) -> str:
    """The surface that an answer of `vendor` is of, or that a single event of a stream is of.

    Raises WrongCall for a vendor's name mistyped, RejectedInput where the answer is of no surface known here.
    """
    answer = Answer(body)
    known = surfaces_of(vendor)
    for candidate in known.values():
        if candidate.looks_like(answer):
            return candidate.name
    for streamed in streams_of(vendor).values():
        if streamed.looks_like(answer):
            return streamed.surface
    usage = "usageMetadata" if vendor_name(vendor) == "google" else "usage"
    if vendor_name(vendor) not in _SURFACES:
        raise RejectedInput(
            "missing_field",
            f"{usage}: there is no reader for {vendor!r}, and this is of no shape that compatible hosts send",
            field=usage,
            hint=f"OpenAI's and Anthropic's shapes are read for any vendor; known are {', '.join(vendors())}",
        )
    raise RejectedInput(
        "missing_field",
        f"{usage}: this is no answer of {vendor} that states its usage",
        field=usage,
        hint=f"Known are its {', '.join(known)}; an error or a chunk without usage was not billed and has no event",
    )


def surface_named(vendor: str, name: str) -> str:
    """The surface of `vendor` that is asked for as `name`: its own name, another one for it, or with `_stream`.

    "" for `default` (and `errors`), which leave it to be found. Raises WrongCall for a name that is none.
    """
    known = surfaces_of(vendor)
    for asked in (name, name.removesuffix("_stream")):
        found = asked if asked in known else _OTHER_NAMES.get((_read_as(vendor), asked))
        if found is not None:
            return found
    if name in _FOUND_BY_ITSELF:
        return ""
    near = get_close_matches(name, known, 1, 0.4)
    hint = f"Did you mean {near[0]}? " if near else ""
    raise WrongCall(f"{vendor} has no surface {name!r}", hint=f"{hint}It has {', '.join(known)}")


def guess_vendor(body: Mapping[str, Any]) -> str:
    """The vendor whose answer this surely is; "" where more than one could have sent it."""
    load()
    answer = Answer(body)
    for vendor, tells in _SIGNS.items():
        if tells(answer):
            return vendor
    return ""


def surfaces_of(vendor: str) -> Mapping[str, Surface]:
    """The surfaces of `vendor` by name, in the order in which they are tried. Raises WrongCall as `surfaces` does."""
    load()
    vendor = vendor_name(vendor)
    known = _SURFACES.get(vendor)
    if known is not None:
        return known
    near = get_close_matches(vendor, _SURFACES, 1, _TYPING_ERROR)
    if near or not vendor:
        hint = f"Did you mean {near[0]}? " if near else ""
        raise WrongCall(f"no reader for vendor {vendor!r}", hint=f"{hint}Known are {', '.join(vendors())}")
    return _SURFACES[ANY_VENDOR]


def streams_of(vendor: str) -> Mapping[str, Stream]:
    """The streams of `vendor` by the surface that their merged body is of, in the order in which they are tried."""
    load()
    return _STREAMS.get(_read_as(vendor), {})


def _read_as(vendor: str) -> str:
    """The vendor whose readers are taken."""
    vendor = vendor_name(vendor)
    return vendor if vendor in _SURFACES else ANY_VENDOR

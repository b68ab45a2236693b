"""Which official client is observed how: one module of `producers.instrumentation.clients` a library.

    @client_library("acme", vendor="acme")
    class Acme:
        def install(self, client: Any, observer: Observer) -> None: ...
        def remove(self, client: Any) -> None: ...

A client is told by the package in which its class, or one that it derives from, is defined. No library is imported to
find out: an object of its class brings it along. Adding a library is one new file.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Protocol, TypeVar, Unpack

from producers.emitter.reports import CallFields
from producers.instrumentation.observer import Observer, Reporting
from producers.vendors.registry import surfaces_of
from tokenweir.errors import WrongCall

Client = TypeVar("Client")
HooksType = TypeVar("HooksType", bound="type[Hooks]")


class Hooks(Protocol):
    """How the clients of one library are observed."""

    def install(self, client: Any, observer: Observer) -> None:
        """From here on the client's calls are seen by `observer`, in place of whoever saw them before.

        Raises WrongCall for a client that makes no calls to models.
        """

    def remove(self, client: Any) -> None:
        """The client is as it was before; nothing where it was not observed."""


@dataclass(frozen=True, slots=True)
class Library:
    """A library's clients. vendor: who sends the bill where neither the class nor the host tells."""

    vendor: str
    hooks: Hooks


_LIBRARIES: Final[dict[str, Library]] = {}
"""By the package in which the library's classes are defined."""


def client_library(package: str, *, vendor: str) -> Callable[[HooksType], HooksType]:
    """Registers how clients whose classes are defined in `package` are observed."""

    def register(hooks: HooksType) -> HooksType:
        _LIBRARIES[package] = Library(vendor, hooks())
        return hooks

    return register


@cache
def _load() -> None:
    package = importlib.import_module("producers.instrumentation.clients")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"producers.instrumentation.clients.{module.name}")


def instrument(
    client: Client,
    emitter: Reporting,
    *,
    vendor: str = "",
    record_failures: bool | None = None,
    ask_for_stream_usage: bool = False,
    **fields: Unpack[CallFields],
) -> Client:
    """Report every billed call of an official client to `emitter`; gives back `client`, which stays what it is.

    vendor: who sends the bill, where the host's own name does not tell (a gateway, a proxy, a server of one's own); any
    name. record_failures: whether an attempt that failed and was not billed has an event; the emitter's own setting
    where it is None. ask_for_stream_usage: of OpenAI's chat streams, which state their usage only on demand, demand it
    (`producers.instrumentation.stream_usage`). fields: of every event, e.g. team, tags; what `attributed` sets around a
    call comes after them.

    May be called again: the client's calls are reported once, as the last call said. Raises WrongCall for an object
    that is no client of a library known here, and for a vendor's name mistyped.
    """
    library = _library_of(client)
    if vendor:
        surfaces_of(vendor)
    observer = Observer(
        reporting=emitter,
        library_vendor=library.vendor,
        vendor=vendor,
        record_failures=record_failures,
        ask_for_stream_usage=ask_for_stream_usage,
        fields=dict(fields),
    )
    library.hooks.install(client, observer)
    return client


def uninstrument(client: Client) -> Client:
    """Undo `instrument`, whatever was asked for then; gives back `client`. Raises WrongCall as `instrument` does."""
    _library_of(client).hooks.remove(client)
    return client


def _library_of(client: object) -> Library:
    _load()
    for kind in type(client).__mro__:
        for package, library in _LIBRARIES.items():
            if kind.__module__ == package or kind.__module__.startswith(f"{package}."):
                return library
    raise WrongCall(
        f"an object of type {type(client).__name__} cannot be instrumented",
        hint=f"Known are the clients of {', '.join(sorted(_LIBRARIES))}; report others with emitter.call",
    )

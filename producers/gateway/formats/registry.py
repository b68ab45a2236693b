"""The formats that the gateway reads, by address and content type.

A module of this package registers its formats when it is imported, and all modules are imported on first use: adding
a format is one new file.

    @gateway_format("acme", path="/v1/acme", content_types=frozenset({"application/json"}), summary="…", …)
    def read(arrived: Arrived) -> Iterable[Outcome]: ...

A format is pure: a body in, outcomes out. It raises RequestRefused for a body of which nothing can be told apart.
Several formats may share an address; the first that takes a request's content type and headers has it.
The routes, their OpenAPI description and the counters all come from here.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from producers.gateway.outcomes import Arrived, Outcome

Read = Callable[[Arrived], Iterable[Outcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format.

    name: for counting. path: with the variable parts in braces. content_types: that it reads; `takes_unstated`: also
    where the request states none. takes: whether it reads a request with these headers (names in lower case).
    schema: of the body, for the description: a JSON Schema, which may refer to `#/components/schemas/UsageEvent`.
    answer: how it is answered, natively or as OTLP has it, and then for which signal.
    """

    name: str
    path: str
    content_types: frozenset[str]
    summary: str
    read: Read
    description: str = ""
    schema: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    takes_unstated: bool = False
    takes: Callable[[Mapping[str, str]], bool] = lambda _: True
    answer: Literal["native", "traces", "logs", "metrics"] = "native"


_FORMATS: list[Format] = []


def gateway_format(name: str, *paths: str, **facts: Any) -> Callable[[Read], Read]:
    """Registers a format under one or more addresses. facts: further fields of Format."""

    def register(read: Read) -> Read:
        _FORMATS.extend(Format(name=name, path=path, read=read, **facts) for path in paths)
        return read

    return register


@cache
def load() -> None:
    """Imports every module of this package, which registers its formats."""
    package = importlib.import_module("producers.gateway.formats")
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda found: found.name):
        importlib.import_module(f"producers.gateway.formats.{module.name}")


def formats() -> tuple[Format, ...]:
    """All formats."""
    load()
    return tuple(_FORMATS)


def formats_by_path() -> dict[str, tuple[Format, ...]]:
    """The formats of each address, in the order in which they are tried."""
    found: dict[str, tuple[Format, ...]] = {}
    for one in formats():
        found[one.path] = (*found.get(one.path, ()), one)
    return found

"""Anthropic's Python client: Anthropic and AsyncAnthropic, and those for Bedrock, Vertex and other clouds.

Hooked is the HTTP client (`client._client`), as with OpenAI's, whose base classes these share. Who sends the bill
follows from the class: a Claude model on Bedrock is billed by AWS.
Source: anthropic 2.14 (`_base_client.py`, `lib/`).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from producers.instrumentation.bedrock_answers import bedrock_envelope
from producers.instrumentation.clients.openai import is_async
from producers.instrumentation.http_client import observe, release
from producers.instrumentation.observer import Observer
from producers.instrumentation.registry import client_library

_VENDORS: Final[Mapping[str, str]] = {
    "anthropic.lib.bedrock": "aws",
    "anthropic.lib.aws": "aws",
    "anthropic.lib.vertex": "google",
    "anthropic.lib.google_cloud": "google",
    "anthropic.lib.foundry": "azure",
}
"""By the package that defines the client's class, who sends the bill."""


@client_library("anthropic", vendor="anthropic")
class AnthropicHooks:
    """For `producers.instrumentation.registry`."""

    def install(self, client: Any, observer: Observer) -> None:
        vendor = _vendor_of(client)
        region = getattr(client, "aws_region", None) or getattr(client, "region", None)
        observe(
            client._client,
            client.base_url,
            replace(
                observer,
                library_vendor=vendor or observer.library_vendor,
                region=region if isinstance(region, str) else "",
                make_envelope=bedrock_envelope if vendor == "aws" else None,
            ),
            is_async=is_async(client),
        )

    def remove(self, client: Any) -> None:
        release(client._client, client.base_url)


def _vendor_of(client: Any) -> str:
    for kind in type(client).__mro__:
        for package, vendor in _VENDORS.items():
            if kind.__module__ == package or kind.__module__.startswith(f"{package}."):
                return vendor
    return ""

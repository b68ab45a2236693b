"""OpenAI's Python client: OpenAI, AsyncOpenAI, AzureOpenAI and AsyncAzureOpenAI, and every compatible host.

Hooked is the HTTP client (`client._client`, httpx2's or httpx's own class), which copies made by `with_options` share.
Who sends the bill follows from the host of `base_url`, so that a copy with another one is billed by that one.
Source: openai 3.57 (`_base_client.py`).
Limits: the realtime API and responses over a websocket do not go through HTTP.
"""

from dataclasses import replace
from typing import Any, Final

from producers.instrumentation.http_client import observe, release
from producers.instrumentation.observer import Observer
from producers.instrumentation.registry import client_library

_AZURE: Final = "openai.lib.azure"


@client_library("openai", vendor="openai")
class OpenAIHooks:
    """For `producers.instrumentation.registry`."""

    def install(self, client: Any, observer: Observer) -> None:
        if any(kind.__module__ == _AZURE for kind in type(client).__mro__):
            observer = replace(observer, library_vendor="azure")
        observe(client._client, client.base_url, observer, is_async=is_async(client))

    def remove(self, client: Any) -> None:
        release(client._client, client.base_url)


def is_async(client: Any) -> bool:
    """Whether it is the asynchronous one of a pair: it closes its HTTP client with `aclose`."""
    return hasattr(client._client, "aclose")

"""Mistral's Python client: Mistral, MistralAzure and MistralGCP, their synchronous and asynchronous methods.

Hooked are both HTTP clients of `client.sdk_configuration`, which all parts of the client share.
Source: mistralai 3.7 (`basesdk.py`, `sdkconfiguration.py`).
Limits: an HTTP client of the application's own is observed where it is one of httpx2 or httpx.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from producers.instrumentation.http_client import observe, release
from producers.instrumentation.observer import Observer
from producers.instrumentation.registry import client_library

_VENDORS: Final = {"mistralai.azure": "azure", "mistralai.gcp": "google"}
"""By the package that defines the client's class, who sends the bill."""


@client_library("mistralai", vendor="mistral")
class MistralHooks:
    """For `producers.instrumentation.registry`."""

    def install(self, client: Any, observer: Observer) -> None:
        for package, vendor in _VENDORS.items():
            if type(client).__module__.startswith(package):
                observer = replace(observer, library_vendor=vendor)
        for http_client, base_url, is_async in _http_clients(client):
            observe(http_client, base_url, observer, is_async=is_async)

    def remove(self, client: Any) -> None:
        for http_client, base_url, _ in _http_clients(client):
            release(http_client, base_url)


def _http_clients(client: Any) -> Iterator[tuple[Any, Any, bool]]:
    """Each HTTP client, the URL that it talks to, and whether it is asynchronous."""
    configuration = client.sdk_configuration
    server_url, variables = configuration.get_server_details()
    for http_client, is_async in ((configuration.client, False), (configuration.async_client, True)):
        if http_client is not None and hasattr(http_client, "__dict__"):
            url = http_client.build_request("POST", server_url.format(**(variables or {}))).url
            yield http_client, url, is_async

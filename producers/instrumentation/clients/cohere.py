"""Cohere's Python client: Client, ClientV2, AsyncClient, AsyncClientV2, and those for Bedrock and SageMaker.

Hooked is the httpx client below its request builder (`client._client_wrapper.httpx_client.httpx_client`).
Source: cohere 7.3 (`core/client_wrapper.py`, `core/http_client.py`, `aws_client.py`).
Limits: the clients for Bedrock and SageMaker turn a request into AWS's only after it was seen; what they answer is read
as AWS's.
"""

from dataclasses import replace
from typing import Any, Final

from producers.instrumentation.http_client import observe, release
from producers.instrumentation.observer import Observer
from producers.instrumentation.registry import client_library

_ON_AWS: Final = ("cohere.aws_client", "cohere.bedrock_client", "cohere.sagemaker_client")


@client_library("cohere", vendor="cohere")
class CohereHooks:
    """For `producers.instrumentation.registry`."""

    def install(self, client: Any, observer: Observer) -> None:
        if any(kind.__module__ in _ON_AWS for kind in type(client).__mro__):
            observer = replace(observer, library_vendor="aws", vendor=observer.vendor or "aws")
        http_client = _http_client(client)
        observe(http_client, _url(client, http_client), observer, is_async=hasattr(http_client, "aclose"))

    def remove(self, client: Any) -> None:
        http_client = _http_client(client)
        release(http_client, _url(client, http_client))


def _http_client(client: Any) -> Any:
    return client._client_wrapper.httpx_client.httpx_client


def _url(client: Any, http_client: Any) -> Any:
    return http_client.build_request("POST", client._client_wrapper.get_base_url()).url

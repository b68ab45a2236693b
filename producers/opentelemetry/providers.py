"""Who sends the bill, from what a span says of its provider, its server and its model.

The server's address tells most: many vendors are called through OpenAI's client, and the span then names OpenAI as
the provider (semantic conventions, `gen_ai.provider.name`: "in such cases … `server.address` … may help identify the
actual system"). Where neither server nor provider tells, the model's name may.
Sources: well-known values of `gen_ai.provider.name` and `gen_ai.system` (package opentelemetry-semantic-conventions
0.66b2); `llm.provider` and `llm.system` of OpenInference; provider names of the Vercel AI SDK
(`openai.chat`, `amazon-bedrock`).
Limits: frameworks that name themselves as the provider (strands-agents, langchain) say nothing.
"""

from typing import Final

from producers.vendors.endpoints import vendor_of_host
from producers.vendors.names import vendor_named, vendor_of_model

_PROVIDERS: Final[dict[str, str]] = {
    "gcp": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "gcp.gemini": "google",
    "vertexai": "google",
    "google.generative-ai": "google",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "az": "azure",
    "az.ai.inference": "azure",
    "az.ai.openai": "azure",
    "azure-openai": "azure",
    "aws.bedrock": "aws",
    "ibm.watsonx.ai": "ibm",
    "watsonx": "ibm",
}
_SAY_NOTHING: Final = frozenset(
    {
        "",
        "strands-agents",
        "langchain",
        "langgraph",
        "llamaindex",
        "crewai",
        "autogen",
        "gateway",
        "litellm",
        "_other",
    }
)


def vendor_of(provider: str, server: str, model: str) -> str:
    """Our name of the vendor. provider, server (a host name), model: as the span has them, empty where it does not.

    UNKNOWN_VENDOR where nothing tells; a provider that no table knows is taken as it is, in lower case.
    """
    by_server = vendor_of_host(server)
    if by_server:
        return by_server
    word = provider.strip().lower()
    if word in _PROVIDERS:
        return _PROVIDERS[word]
    if word not in _SAY_NOTHING:
        # The Vercel AI SDK puts the surface behind the provider: `anthropic.messages`, `google.vertex.chat`.
        first = word.partition(".")[0]
        named = _PROVIDERS.get(first) or vendor_named(first)
        return named if "." in word and named != first else _known_or(word)
    return vendor_of_model(model)


def _known_or(word: str) -> str:
    named = vendor_named(word)
    return vendor_named(word.partition(".")[0]) if named == word and "." in word else named

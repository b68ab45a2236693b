"""Who sends the bill, from what a span says of its provider, its server and its model.

The server's address tells most: many vendors are called through OpenAI's client, and the span then names OpenAI as
the provider (semantic conventions, `gen_ai.provider.name`: "in such cases … `server.address` … may help identify the
actual system"). Where neither server nor provider tells, the model's name may.
Sources: well-known values of `gen_ai.provider.name` and `gen_ai.system` (package opentelemetry-semantic-conventions
0.66b2); `llm.provider` and `llm.system` of OpenInference; provider names of the Vercel AI SDK
(`openai.chat`, `amazon-bedrock`); the vendors' documented API hosts.
Limits: frameworks that name themselves as the provider (strands-agents, langchain) say nothing.
"""

import re
from typing import Final

from producers.records.vendor_names import UNKNOWN_VENDOR, vendor_named, vendor_of_model

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
_HOSTS: Final[tuple[tuple[str, str], ...]] = (
    ("api.openai.com", "openai"),
    ("openai.azure.com", "azure"),
    ("services.ai.azure.com", "azure"),
    ("cognitiveservices.azure.com", "azure"),
    ("api.anthropic.com", "anthropic"),
    ("generativelanguage.googleapis.com", "google"),
    ("aiplatform.googleapis.com", "google"),
    ("api.mistral.ai", "mistral"),
    ("api.cohere.com", "cohere"),
    ("api.cohere.ai", "cohere"),
    ("api.deepseek.com", "deepseek"),
    ("api.x.ai", "xai"),
    ("api.groq.com", "groq"),
    ("api.together.xyz", "together"),
    ("api.together.ai", "together"),
    ("api.fireworks.ai", "fireworks"),
    ("api.cerebras.ai", "cerebras"),
    ("openrouter.ai", "openrouter"),
    ("api.perplexity.ai", "perplexity"),
    ("api.llama.com", "meta"),
    ("integrate.api.nvidia.com", "nvidia"),
    ("router.huggingface.co", "huggingface"),
    ("qianfan.baidubce.com", "baidu"),
    ("aip.baidubce.com", "baidu"),
    ("volces.com", "volcengine"),
    ("hunyuan.cloud.tencent.com", "tencent"),
    ("hunyuan.tencentcloudapi.com", "tencent"),
    ("modelarts-maas.com", "huawei"),
    ("dashscope.aliyuncs.com", "alibaba"),
    ("dashscope-intl.aliyuncs.com", "alibaba"),
    ("dashscope-us.aliyuncs.com", "alibaba"),
    ("open.bigmodel.cn", "zhipu"),
    ("api.z.ai", "zhipu"),
    ("api.moonshot.cn", "moonshot"),
    ("api.moonshot.ai", "moonshot"),
    ("api.minimax.chat", "minimax"),
    ("api.minimaxi.com", "minimax"),
    ("api.minimax.io", "minimax"),
    ("xf-yun.com", "iflytek"),
    ("api.lingyiwanwu.com", "yi"),
    ("api.stepfun.com", "stepfun"),
    ("api.baichuan-ai.com", "baichuan"),
)
_BEDROCK_HOST: Final = re.compile(
    r"bedrock-runtime(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?"
)


def vendor_of(provider: str, server: str, model: str) -> str:
    """Our name of the vendor. provider, server (a host name), model: as the span has them, empty where it does not.

    UNKNOWN_VENDOR where nothing tells; a provider that no table knows is taken as it is, in lower case.
    """
    by_server = _vendor_of_server(server)
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


def bedrock_region(server: str) -> str:
    """The region in the host name of a Bedrock endpoint; "" for any other host."""
    found = _BEDROCK_HOST.fullmatch(server.lower())
    return found["region"] if found else ""


def _vendor_of_server(server: str) -> str:
    if not server:
        return ""
    host = server.lower().rstrip(".")
    if _BEDROCK_HOST.fullmatch(host):
        return "aws"
    return next(
        (vendor for name, vendor in _HOSTS if host == name or host.endswith(("." + name, "-" + name))), ""
    )


def _known_or(word: str) -> str:
    named = vendor_named(word)
    return vendor_named(word.partition(".")[0]) if named == word and "." in word else named


__all__ = ["UNKNOWN_VENDOR", "bedrock_region", "vendor_of"]

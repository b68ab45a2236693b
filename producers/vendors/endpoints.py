"""Who sends the bill for calls to a host, and in which region it answers: a table, pure.

Sources: base URLs as the vendors document them and as the clients openai 3.57, anthropic 2.14, google-genai 3.6 and
botocore 1.44 build them.
Limits: a host that is not listed (a gateway of one's own, a server of one's own) tells neither; of those that run on
the machine itself, Ollama is known by its port.
"""

import re
from typing import Final

_OLLAMA_PORT: Final = 11434

_VENDORS: Final[dict[str, str]] = {
    "api.openai.com": "openai",
    "openai.azure.com": "azure",
    "openai.azure.us": "azure",
    "openai.azure.cn": "azure",
    "cognitiveservices.azure.com": "azure",
    "services.ai.azure.com": "azure",
    "models.ai.azure.com": "azure",
    "inference.ml.azure.com": "azure",
    "api.cognitive.microsoft.com": "azure",
    "api.anthropic.com": "anthropic",
    "googleapis.com": "google",
    "api.aws": "aws",
    "api.mistral.ai": "mistral",
    "codestral.mistral.ai": "mistral",
    "api.cohere.com": "cohere",
    "api.cohere.ai": "cohere",
    "api.deepseek.com": "deepseek",
    "api.x.ai": "xai",
    "api.groq.com": "groq",
    "api.together.xyz": "together",
    "api.together.ai": "together",
    "api.fireworks.ai": "fireworks",
    "api.cerebras.ai": "cerebras",
    "openrouter.ai": "openrouter",
    "api.perplexity.ai": "perplexity",
    "api.llama.com": "meta",
    "integrate.api.nvidia.com": "nvidia",
    "ai.api.nvidia.com": "nvidia",
    "router.huggingface.co": "huggingface",
    "api-inference.huggingface.co": "huggingface",
    "endpoints.huggingface.cloud": "huggingface",
    "ollama.com": "ollama",
    "qianfan.baidubce.com": "baidu",
    "aip.baidubce.com": "baidu",
    "volces.com": "volcengine",
    "bytepluses.com": "volcengine",
    "api.coze.com": "coze",
    "api.coze.cn": "coze",
    "hunyuan.cloud.tencent.com": "tencent",
    "hunyuan.tencentcloudapi.com": "tencent",
    "lkeap.cloud.tencent.com": "tencent",
    "myhuaweicloud.com": "huawei",
    "modelarts-maas.com": "huawei",
    "dashscope.aliyuncs.com": "alibaba",
    "dashscope-intl.aliyuncs.com": "alibaba",
    "dashscope-us.aliyuncs.com": "alibaba",
    "maas.aliyuncs.com": "alibaba",
    "open.bigmodel.cn": "zhipu",
    "api.z.ai": "zhipu",
    "api.moonshot.cn": "moonshot",
    "api.moonshot.ai": "moonshot",
    "api.minimax.chat": "minimax",
    "api.minimax.io": "minimax",
    "api.minimaxi.com": "minimax",
    "api.minimaxi.chat": "minimax",
    "xf-yun.com": "iflytek",
    "api.lingyiwanwu.com": "yi",
    "api.stepfun.com": "stepfun",
    "api.stepfun.ai": "stepfun",
    "api.baichuan-ai.com": "baichuan",
}
"""By host, or by the end of one after a dot."""

_OF_AWS: Final = re.compile(r"(^|\.)(bedrock[a-z-]*|runtime\.sagemaker)\.[a-z0-9.-]*amazonaws\.com(\.cn)?$")
"""Not every host of AWS: a server of one's own runs there under such a name, too."""

_REGIONS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?:^|\.)bedrock(?:-[a-z]+)*\.([a-z]{2}(?:-[a-z]+)+-\d+)\.",
        r"^runtime\.sagemaker\.([a-z]{2}(?:-[a-z]+)+-\d+)\.",
        r"^([a-z]+-[a-z]+\d+)-aiplatform\.googleapis\.com$",
        r"^aiplatform\.(us|eu)\.rep\.googleapis\.com$",
        r"^([a-z0-9]+)\.api\.cognitive\.microsoft\.com$",
        r"^(us|eu|au|ca|jp|in|sg|kr|gb|ae)\.api\.openai\.com$",
        r"^ark\.([a-z]{2}-[a-z]+(?:-\d+)?)\.(?:volces|bytepluses)\.com$",
        r"\.([a-z]{2}-[a-z]+-\d+)\.myhuaweicloud\.com$",
    )
)
_REGION_IN_PATH: Final = re.compile(r"/locations/([a-z0-9-]{2,32})/")


def vendor_of_host(host: str, port: int | None = None) -> str:
    """Who sends the bill for calls to `host`; "" where it is not listed."""
    name = host.lower().rstrip(".")
    labels = name.split(".")
    for first in range(len(labels)):
        vendor = _VENDORS.get(".".join(labels[first:]))
        if vendor is not None:
            return vendor
    if _OF_AWS.search(name):
        return "aws"
    return "ollama" if port == _OLLAMA_PORT else ""


def region_of_url(host: str, path: str) -> str:
    """The vendor's region that a call goes to, as its host or its path names it; "" where they do not."""
    for pattern in _REGIONS:
        found = pattern.search(host.lower())
        if found:
            return found[1]
    located = _REGION_IN_PATH.search(path)
    return located[1] if located else ""

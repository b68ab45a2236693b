"""Vendors' names: ours, from the words that tools, clouds and collections of answers have for them.

Sources: LiteLLM's list of providers (package litellm 1.106, `types/utils.py`, LlmProviders), Portkey's and Helicone's
documented provider names, model ids as the vendors publish them.
Limits: a word that is not listed is taken as it is, in lower case, and has no price; a model's name tells its vendor
only where that vendor alone serves it under that name.
"""

import re
from typing import Final

UNKNOWN_VENDOR: Final = "unknown"
"""Vendor of a call of which nothing tells who bills it: counted, and visibly without a price."""

_NAMES: Final[dict[str, str]] = {
    "openai": "openai",
    "text_completion_openai": "openai",
    "azure": "azure",
    "azure_openai": "azure",
    "azure_text": "azure",
    "azure_ai": "azure",
    "azure_ai_foundry": "azure",
    "azure_foundry": "azure",
    "azure_apim": "azure",
    "anthropic": "anthropic",
    "anthropic_text": "anthropic",
    "google": "google",
    "gemini": "google",
    "google_ai_studio": "google",
    "vertex_ai": "google",
    "vertex_ai_beta": "google",
    "vertex": "google",
    "googlevertex": "google",
    "google_vertex": "google",
    "google_vertex_ai": "google",
    "google_gemini": "google",
    "aws": "aws",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "bedrock_mantle": "aws",
    "aws_bedrock": "aws",
    "amazon_bedrock": "aws",
    "sagemaker": "aws",
    "sagemaker_chat": "aws",
    "mistral": "mistral",
    "mistral_ai": "mistral",
    "mistralai": "mistral",
    "codestral": "mistral",
    "cohere": "cohere",
    "cohere_chat": "cohere",
    "deepseek": "deepseek",
    "xai": "xai",
    "x_ai": "xai",
    "x": "xai",
    "grok": "xai",
    "groq": "groq",
    "together": "together",
    "together_ai": "together",
    "togetherai": "together",
    "fireworks": "fireworks",
    "fireworks_ai": "fireworks",
    "cerebras": "cerebras",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "perplexity_ai": "perplexity",
    "meta_llama": "meta",
    "meta": "meta",
    "llama_api": "meta",
    "nvidia": "nvidia",
    "nvidia_nim": "nvidia",
    "huggingface": "huggingface",
    "hugging_face": "huggingface",
    "huggingface_novita": "huggingface",
    "ollama": "ollama",
    "ollama_chat": "ollama",
    "vllm": "vllm",
    "hosted_vllm": "vllm",
    "baidu": "baidu",
    "qianfan": "baidu",
    "wenxin": "baidu",
    "baidu_qianfan": "baidu",
    "volcengine": "volcengine",
    "bytedance": "volcengine",
    "doubao": "volcengine",
    "volcano": "volcengine",
    "ark": "volcengine",
    "volcengine_ark": "volcengine",
    "coze": "coze",
    "tencent": "tencent",
    "hunyuan": "tencent",
    "tencent_hunyuan": "tencent",
    "tencent_tokenhub": "tencent",
    "huawei": "huawei",
    "huawei_pangu": "huawei",
    "huawei_maas": "huawei",
    "alibaba": "alibaba",
    "alibaba_cn": "alibaba",
    "dashscope": "alibaba",
    "qwen": "alibaba",
    "alibaba_dashscope": "alibaba",
    "alibaba_modelstudio": "alibaba",
    "zhipu": "zhipu",
    "zai": "zhipu",
    "z_ai": "zhipu",
    "bigmodel": "zhipu",
    "zhipu_zai": "zhipu",
    "moonshot": "moonshot",
    "moonshotai": "moonshot",
    "kimi": "moonshot",
    "moonshot_kimi": "moonshot",
    "minimax": "minimax",
    "iflytek": "iflytek",
    "spark": "iflytek",
    "iflytek_spark": "iflytek",
    "lingyi": "yi",
    "01_ai": "yi",
    "yi": "yi",
    "yi_01ai": "yi",
    "stepfun": "stepfun",
    "baichuan": "baichuan",
}
_BY_MODEL: Final[tuple[tuple[str, str], ...]] = (
    (r"(us|eu|apac|global|jp|au|ca)\.(anthropic|amazon|meta|mistral|cohere|deepseek)\.", "aws"),
    (r"(anthropic|amazon|meta|cohere|ai21|mistral|stability)\.[a-z]", "aws"),
    (r"gpt-oss", ""),
    (r"(gpt-|chatgpt-|o1|o3|o4|ft:gpt|text-embedding-|codex-|computer-use-|dall-e|whisper|sora)", "openai"),
    (r"claude", "anthropic"),
    (r"(gemini|imagen|veo)", "google"),
    (r"(mistral|magistral|codestral|devstral|ministral|pixtral|voxtral)-", "mistral"),
    (r"(command-|embed-(english|multilingual)|embed-v|rerank-)", "cohere"),
    (r"deepseek-(chat|reasoner)$", "deepseek"),
    (r"grok-", "xai"),
    (r"sonar", "perplexity"),
    (r"(ernie|baidu)", "baidu"),
    (r"doubao", "volcengine"),
    (r"hunyuan", "tencent"),
    (r"qwen[0-9.]*-(max|plus|turbo|flash|long)", "alibaba"),
    (r"glm-", "zhipu"),
    (r"(moonshot-|kimi-)", "moonshot"),
    (r"(abab|minimax)", "minimax"),
)
_MODEL_PATTERNS: Final = tuple((re.compile(pattern, re.IGNORECASE), vendor) for pattern, vendor in _BY_MODEL)


def vendor_name(word: str) -> str:
    """The name under which a vendor's readers and prices are found; a word that is not known as it is."""
    return _NAMES.get(re.sub(r"[\s.-]+", "_", word.strip().lower()), word)


def vendor_named(word: str) -> str:
    """Our name of the vendor that a tool names so; the word itself in lower case where it is none of the known."""
    return vendor_name(word.strip().lower())


def vendor_of_model(model: str) -> str:
    """The vendor that surely serves a model of this name; UNKNOWN_VENDOR where several do."""
    for pattern, vendor in _MODEL_PATTERNS:
        if pattern.match(model):
            return vendor or UNKNOWN_VENDOR
    return UNKNOWN_VENDOR

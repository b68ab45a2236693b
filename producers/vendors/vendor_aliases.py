"""Other spellings of vendors' names, in which collections of answers and other tools file them.

Limits: what is not listed is taken as it is.
"""

from typing import Final

_NAMES: Final = {
    "azure_openai": "azure",
    "azure_foundry": "azure",
    "azure_apim": "azure",
    "google_gemini": "google",
    "google_vertex": "google",
    "gemini": "google",
    "vertex": "google",
    "aws_bedrock": "aws",
    "bedrock": "aws",
    "meta_llama": "meta",
    "nvidia_nim": "nvidia",
    "huggingface_novita": "huggingface",
    "baidu_qianfan": "baidu",
    "volcengine_ark": "volcengine",
    "tencent_hunyuan": "tencent",
    "tencent_tokenhub": "tencent",
    "huawei_pangu": "huawei",
    "huawei_maas": "huawei",
    "alibaba_dashscope": "alibaba",
    "alibaba_modelstudio": "alibaba",
    "zai": "zhipu",
    "zhipu_zai": "zhipu",
    "moonshot_kimi": "moonshot",
    "iflytek_spark": "iflytek",
    "yi_01ai": "yi",
}


def vendor_name(word: str) -> str:
    """The name under which a vendor's readers and prices are found."""
    return _NAMES.get(word, word)

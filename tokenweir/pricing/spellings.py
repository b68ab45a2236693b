"""The model behind a name as SDKs, clouds and gateways spell it: with a path before it, or as an inference profile.

A path says who serves the model, which an event's vendor says too: `anthropic/claude-opus-4-5` (LiteLLM, OpenRouter),
`models/gemini-2.5-pro` (Gemini API), `publishers/google/models/…` (Vertex AI). It is taken off only where the vendor is
the one that the path names, and only where no source prices the name as it stands: OpenRouter's `openai/gpt-4o` and
Groq's `openai/gpt-oss-20b` are names of their own.
"""

import re
from typing import Final

from tokenweir.pricing.aliases import Meaning, profile_model

_PATHS: Final[dict[str, tuple[str, ...]]] = {
    "alibaba": ("dashscope/", "qwen/"),
    "aws": ("bedrock/converse/", "bedrock/invoke/", "bedrock/", "amazon-bedrock/", "bedrock_converse/"),
    "azure": ("azure_ai/", "azure-openai/", "openai/"),
    "cohere": ("cohere_chat/",),
    "deepseek": ("deepseek-ai/",),
    "fireworks": ("fireworks_ai/", "fireworks-ai/"),
    "google": ("gemini/", "vertex_ai/", "google_ai_studio/", "models/"),
    "huggingface": ("hf/",),
    "minimax": ("minimaxai/",),
    "mistral": ("mistralai/",),
    "moonshot": ("moonshotai/",),
    "together": ("together_ai/", "togetherai/"),
    "volcengine": ("bytedance/", "ark/"),
    "xai": ("x-ai/",),
    "yi": ("01-ai/", "lingyi/"),
    "zhipu": ("zai/", "z-ai/", "zhipuai/", "zai-org/"),
}
"""By vendor: what stands before its models' names, beside `<vendor>/`. LiteLLM's and OpenRouter's words for it."""

_VERTEX_PATH: Final = re.compile(r"(?:projects/[^/]+/locations/[^/]+/)?publishers/[^/]+/models/(?=.)")


def model_behind(vendor: str, model: str) -> Meaning | None:
    """The name that `model` stands for, None where it is no such spelling. It may stand for another one in turn."""
    return profile_model(vendor, model) or _without_path(vendor, model)


def _without_path(vendor: str, model: str) -> Meaning | None:
    name = model.lower()
    if vendor == "google":
        found = _VERTEX_PATH.match(name)
        if found is not None:
            return Meaning(vendor, model[found.end() :], "publishers/*")
    for path in (f"{vendor}/", *_PATHS.get(vendor, ())):
        if name.startswith(path) and len(name) > len(path):
            return Meaning(vendor, model[len(path) :], f"{path}*")
    return None

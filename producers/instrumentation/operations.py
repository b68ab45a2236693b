"""Which requests are calls that may be billed, what they do, and which model they ask for: by path, pure.

A request that is listed here is observed; every other one (files, batches, model lists, token counts, jobs that are
asked about) is left alone.

Sources: the paths that openai 3.57, anthropic 2.14, google-genai 3.6, mistralai 3.7, cohere 7.3 and botocore 1.44
send, and those of compatible hosts as they document them.
Limits: what is ordered now and made later is billed when it is made, and no answer to the order states it: batches,
videos, runs of the Assistants API.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class Operation:
    """What a request does.

    name: as in UsageEvent.operation; "" where the answer tells best (a conversation may be of several kinds).
    model: the model, deployment or profile that the path names; "" where the body does.
    """

    name: str = ""
    model: str = ""


_BY_PATH: Final = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        # OpenAI, Azure and hosts that are compatible with them
        (r"/completions$", ""),
        (r"/responses$", ""),
        (r"/responses/compact$", ""),
        (r"/embeddings(?:/multimodal)?$", "embedding"),
        (r"/images/(?:generations|edits|variations)$", "image"),
        (r"/audio/(?:transcriptions|translations)$", "transcription"),
        (r"/audio/speech$", "speech"),
        (r"/rerank$", "rerank"),
        (r"/moderations$", "moderation"),
        # Anthropic
        (r"/messages$", ""),
        (r"/v1/complete$", ""),
        # Google, and Anthropic's and Mistral's models on Vertex
        (r"/models/(?P<model>[^/:]+):(?:generateContent|streamGenerateContent)$", ""),
        (r"/models/(?P<model>[^/:]+):(?:embedContent|batchEmbedContents|embedText)$", "embedding"),
        (r"/models/(?P<model>[^/:]*embed[^/:]*):predict$", "embedding"),
        (r"/models/(?P<model>imagen[^/:]*):predict$", "image"),
        (r"/models/(?P<model>[^/:]+):(?:rawPredict|streamRawPredict)$", ""),
        (r"/(?:deployments|endpoints)/(?P<model>[^/:]+):(?:generateContent|streamGenerateContent)$", ""),
        (r"/interactions$", ""),
        # AWS
        (r"/model/(?P<model>[^/]+)/(?:invoke|converse)(?:-with-response-stream|-stream)?$", ""),
        # Mistral
        (r"/ocr$", "ocr"),
        (r"/conversations(?:/[^/]+)?$", ""),
        (r"/(?:chat/)?classifications$", "classification"),
        # Cohere
        (r"/v[12]/(?:chat|generate|summarize)$", ""),
        (r"/v[12]/embed$", "embedding"),
        (r"/v1/classify$", "classification"),
    )
)
_DEPLOYMENT: Final = re.compile(r"/deployments/([^/]+)/")
_FREE: Final = frozenset({("openai", "moderation"), ("azure", "moderation")})
"""By vendor and operation, what is never billed and states no usage."""


def operation_of(method: str, path: str, vendor: str) -> Operation | None:
    """What a request does; None where it is no call that could be billed."""
    if method.upper() != "POST":
        return None
    for pattern, name in _BY_PATH:
        found = pattern.search(path)
        if found is None:
            continue
        if (vendor, name) in _FREE:
            return None
        model = found.groupdict().get("model") or ""
        if not model:
            deployment = _DEPLOYMENT.search(path)
            model = deployment[1] if deployment else ""
        return Operation(name, unquote(model)[:256])
    return None

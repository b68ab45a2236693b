"""What requests tell: which of them are calls, who bills them, in which region, for which model."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.instrumentation.operations import operation_of
from producers.instrumentation.request_facts import outermost_names, outermost_words, words_of
from producers.vendors.endpoints import region_of_url, vendor_of_host

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)


@given(
    body=st.dictionaries(st.sampled_from(["model", "messages", "stream", "a"]) | st.text(max_size=4), _JSON),
    model=st.none() | st.text(alphabet="abc-/:.é", max_size=20),
    is_ascii=st.booleans(),
    indent=st.none() | st.just(2),
)
def test_only_the_outermost_words_are_found(
    body: dict[str, Any], model: str | None, is_ascii: bool, indent: int | None
) -> None:
    if model is not None:
        body["model"] = model
    text = json.dumps(body, ensure_ascii=is_ascii, indent=indent).encode("utf-8", "surrogatepass")
    found = outermost_words(text, ("model",))
    if model is not None and (model.isascii() or not is_ascii):
        assert found == {"model": model}
    elif not isinstance(body.get("model"), str | bool):
        assert found == {}
    unescaped = {name for name in body if json.dumps(name, ensure_ascii=is_ascii) == f'"{name}"'}
    assert unescaped <= outermost_names(text)


@given(st.binary(max_size=200))
def test_no_body_raises(body: bytes) -> None:
    outermost_words(body, ("model",))
    outermost_names(body)


def test_a_prompt_is_never_taken_for_a_model() -> None:
    said = '", "model": "secret", "x": "'
    body = json.dumps({"messages": [{"model": "secret", "content": said}], "prompt": said}).encode()
    assert outermost_words(body, ("model",)) == {}
    assert outermost_words(json.dumps({"model": "x" * 300}).encode(), ("model",)) == {}
    assert words_of({"model": "m", "stream": True, "x": 7}, ("model", "stream", "x")) == {
        "model": "m",
        "stream": "true",
    }


@pytest.mark.parametrize(
    ("url", "vendor", "region"),
    [
        ("https://api.openai.com/v1/", "openai", ""),
        ("https://eu.api.openai.com/v1/", "openai", "eu"),
        ("https://shop.openai.azure.com/openai/", "azure", ""),
        ("https://swedencentral.api.cognitive.microsoft.com/openai/", "azure", "swedencentral"),
        ("https://api.deepseek.com", "deepseek", ""),
        ("https://api.groq.com/openai/v1", "groq", ""),
        ("https://dashscope.aliyuncs.com/compatible-mode/v1", "alibaba", ""),
        ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "alibaba", ""),
        ("https://ark.cn-beijing.volces.com/api/v3", "volcengine", "cn-beijing"),
        ("https://api.moonshot.cn/v1", "moonshot", ""),
        ("https://openrouter.ai/api/v1", "openrouter", ""),
        ("https://api.x.ai/v1", "xai", ""),
        ("https://bedrock-runtime.us-east-1.amazonaws.com", "aws", "us-east-1"),
        ("https://bedrock-mantle.eu-west-1.api.aws/v1", "aws", "eu-west-1"),
        ("https://europe-west4-aiplatform.googleapis.com/v1/", "google", "europe-west4"),
        ("https://aiplatform.googleapis.com/v1/projects/p/locations/global/", "google", "global"),
        ("https://generativelanguage.googleapis.com/", "google", ""),
        ("http://localhost:11434/v1", "ollama", ""),
        ("http://localhost:8000/v1", "", ""),
        ("https://notapi.openai.com.example.org/", "", ""),
        ("https://fakeopenrouter.ai/", "", ""),
    ],
)
def test_a_host_tells_who_bills_and_where(url: str, vendor: str, region: str) -> None:
    split = urlsplit(url)
    host = split.hostname or ""
    assert (vendor_of_host(host, split.port), region_of_url(host, split.path)) == (vendor, region)


@pytest.mark.parametrize(
    ("path", "operation", "model"),
    [
        ("/v1/chat/completions", "", ""),
        ("/openai/deployments/my-gpt/chat/completions", "", "my-gpt"),
        ("/openai/deployments/my-embed/embeddings", "embedding", "my-embed"),
        ("/v1/responses", "", ""),
        ("/v1/messages", "", ""),
        ("/v1/images/generations", "image", ""),
        ("/v1/audio/transcriptions", "transcription", ""),
        ("/v2/rerank", "rerank", ""),
        ("/v2/chat", "", ""),
        ("/v2/embed", "embedding", ""),
        ("/v1/ocr", "ocr", ""),
        ("/v1beta/models/gemini-2.5-flash:generateContent", "", "gemini-2.5-flash"),
        ("/v1beta/models/gemini-2.5-flash:streamGenerateContent", "", "gemini-2.5-flash"),
        ("/v1beta/models/gemini-embedding-001:batchEmbedContents", "embedding", "gemini-embedding-001"),
        ("/v1/projects/p/locations/l/publishers/google/models/imagen-4:predict", "image", "imagen-4"),
        ("/v1/projects/p/locations/l/publishers/anthropic/models/claude-x:streamRawPredict", "", "claude-x"),
        ("/model/eu.amazon.nova-pro-v1%3A0/converse-stream", "", "eu.amazon.nova-pro-v1:0"),
        ("/model/arn:aws:bedrock:x/invoke-with-response-stream", "", "arn:aws:bedrock:x"),
    ],
)
def test_a_path_tells_what_is_done(path: str, operation: str, model: str) -> None:
    found = operation_of("POST", path, "openai")
    assert found is not None
    assert (found.name, found.model) == (operation, model)


@pytest.mark.parametrize(
    ("method", "path", "vendor"),
    [
        ("GET", "/v1/chat/completions", "openai"),
        ("GET", "/v1/responses/resp_1", "openai"),
        ("POST", "/v1/responses/resp_1/cancel", "openai"),
        ("POST", "/v1/messages/count_tokens", "anthropic"),
        ("POST", "/v1/messages/batches", "anthropic"),
        ("POST", "/v1/files", "openai"),
        ("POST", "/v1/batches", "openai"),
        ("POST", "/v1/moderations", "openai"),
        ("POST", "/v1beta/models/gemini-2.5-flash:countTokens", "google"),
        ("POST", "/v1beta/models/gemini-2.5-flash:batchGenerateContent", "google"),
        ("POST", "/v1beta/cachedContents", "google"),
        ("POST", "/v1/fine_tuning/jobs", "openai"),
        ("POST", "/model/m/count-tokens", "aws"),
    ],
)
def test_what_is_no_call(method: str, path: str, vendor: str) -> None:
    assert operation_of(method, path, vendor) is None


def test_moderations_are_billed_by_mistral() -> None:
    assert operation_of("POST", "/v1/moderations", "mistral") is not None

"""Whose bill a span is on, from its provider, its server and its model."""

import pytest

from producers.opentelemetry.providers import vendor_of


@pytest.mark.parametrize(
    ("provider", "server", "model", "vendor"),
    [
        ("openai", "", "gpt-4o", "openai"),
        ("openai", "api.deepseek.com", "deepseek-chat", "deepseek"),
        ("openai", "my-resource.openai.azure.com", "gpt-4o", "azure"),
        ("openai", "evilapi.deepseek.com.example.org", "gpt-4o", "openai"),
        ("aws.bedrock", "", "anthropic.claude-3", "aws"),
        ("AWS", "", "amazon.nova-pro", "aws"),
        ("aws_bedrock", "", "", "aws"),
        ("amazon-bedrock", "", "", "aws"),
        ("", "bedrock-runtime.eu-west-1.amazonaws.com", "", "aws"),
        ("", "vpce-1.bedrock-runtime.eu-west-1.vpce.amazonaws.com", "", "aws"),
        ("vllm", "ec2-1-2-3-4.compute.amazonaws.com", "", "vllm"),
        ("gcp.gemini", "", "", "google"),
        ("gcp.vertex_ai", "", "claude-sonnet", "google"),
        ("google.generative-ai", "", "", "google"),
        ("gcp.vertex.agent", "", "", "google"),
        ("google.vertex.chat", "", "", "google"),
        ("VertexAI", "", "", "google"),
        ("az.ai.inference", "", "", "azure"),
        ("azure.ai.openai", "", "", "azure"),
        ("azure-openai.chat", "", "", "azure"),
        ("x_ai", "", "", "xai"),
        ("xai.chat", "", "", "xai"),
        ("mistral_ai", "", "", "mistral"),
        ("MistralAI", "", "", "mistral"),
        ("Cohere", "", "", "cohere"),
        ("ibm.watsonx.ai", "", "", "ibm"),
        ("strands-agents", "", "us.anthropic.claude-3-7", "aws"),
        ("Langchain", "", "gpt-4o", "openai"),
        ("Langchain", "", "llama-3", "unknown"),
        ("acme", "", "gpt-4o", "acme"),
        ("acme.cloud", "", "", "acme"),
    ],
)
def test_who_sends_the_bill(provider: str, server: str, model: str, vendor: str) -> None:
    assert vendor_of(provider, server, model) == vendor

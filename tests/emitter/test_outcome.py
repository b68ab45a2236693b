"""What errors of official clients mean for a call, told without knowing the clients."""

import asyncio
from collections.abc import Callable
from typing import Any

import anthropic
import botocore.exceptions
import cohere.core
import httpx2
import openai
import pytest
from google.genai import errors as google_errors

from producers.emitter.outcome import Outcome, outcome_of

_REQUEST = httpx2.Request("POST", "https://vendor.example/v1")


def _response(status: int) -> Any:
    return httpx2.Response(status, request=_REQUEST)


def _aws(code: str, status: int) -> BaseException:
    return botocore.exceptions.ClientError(
        {"Error": {"Code": code, "Message": "a prompt"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "Converse",
    )


_CASES: list[tuple[Callable[[], BaseException], Outcome]] = [
    (lambda: TimeoutError(), Outcome("timeout", "TimeoutError")),
    (lambda: asyncio.CancelledError(), Outcome("cancelled", "CancelledError")),
    (lambda: KeyboardInterrupt(), Outcome("cancelled", "KeyboardInterrupt")),
    (lambda: GeneratorExit(), Outcome("cancelled", "GeneratorExit")),
    (lambda: ValueError("a prompt"), Outcome("error", "ValueError")),
    (lambda: ConnectionResetError(), Outcome("error", "ConnectionResetError")),
    (lambda: httpx2.ReadTimeout("a prompt", request=_REQUEST), Outcome("timeout", "ReadTimeout")),
    (lambda: openai.APITimeoutError(request=_REQUEST), Outcome("timeout", "APITimeoutError")),
    (
        lambda: openai.RateLimitError(
            "a prompt", response=_response(429), body={"code": "rate_limit_exceeded", "type": "tokens"}
        ),
        Outcome("rate_limited", "rate_limit_exceeded"),
    ),
    (
        lambda: openai.InternalServerError("a prompt", response=_response(500), body=None),
        Outcome("error", "500"),
    ),
    (
        lambda: openai.BadRequestError("a prompt", response=_response(400), body={"code": "content_filter"}),
        Outcome("filtered", "content_filter"),
    ),
    (
        lambda: anthropic.RateLimitError(
            "a prompt", response=_response(429), body={"error": {"type": "rate_limit_error"}}
        ),
        Outcome("rate_limited", "rate_limit_error"),
    ),
    (
        lambda: anthropic.APIStatusError(
            "a prompt", response=_response(529), body={"error": {"type": "overloaded_error"}}
        ),
        Outcome("error", "overloaded_error"),
    ),
    (
        lambda: google_errors.ClientError(
            429, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "a prompt"}}
        ),
        Outcome("rate_limited", "RESOURCE_EXHAUSTED"),
    ),
    (
        lambda: google_errors.ServerError(
            504, {"error": {"code": 504, "status": "DEADLINE_EXCEEDED", "message": "a prompt"}}
        ),
        Outcome("timeout", "DEADLINE_EXCEEDED"),
    ),
    (lambda: _aws("ThrottlingException", 429), Outcome("rate_limited", "ThrottlingException")),
    (lambda: _aws("ThrottlingException", 400), Outcome("rate_limited", "ThrottlingException")),
    (lambda: _aws("ModelTimeoutException", 408), Outcome("timeout", "ModelTimeoutException")),
    (lambda: _aws("ValidationException", 400), Outcome("error", "ValidationException")),
    (
        lambda: botocore.exceptions.ReadTimeoutError(endpoint_url="https://vendor.example"),
        Outcome("timeout", "ReadTimeoutError"),
    ),
    (
        lambda: cohere.core.ApiError(status_code=429, body={"message": "a prompt"}),
        Outcome("rate_limited", "429"),
    ),
]


@pytest.mark.parametrize(("make", "expected"), _CASES)
def test_an_error_of_a_client_has_a_status_and_a_code(
    make: Callable[[], BaseException], expected: Outcome
) -> None:
    assert outcome_of(make()) == expected


class _Hostile(Exception):
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


def test_an_error_that_cannot_be_looked_at_is_an_error() -> None:
    assert outcome_of(_Hostile()).status == "error"


def test_nothing_of_an_errors_text_is_given_on() -> None:
    class SaysTooMuch(Exception):
        code = "Tell me a secret, please"
        status_code = 400

    assert outcome_of(SaysTooMuch("Tell me a secret")) == Outcome("error", "400")

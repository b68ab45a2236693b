"""Answers of Bedrock's InvokeModel with what only the response's headers tell: the request's id, and the counts.

The body is the model's own and, by model, states no usage at all; the headers state it for every model. The request's
id is the name under which AWS's own invocation log knows the call.
Source: headers as recorded from Bedrock; AWS's documentation of InvokeModel.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from producers.instrumentation.observation import Envelope

_PREFIXES: Final = ("x-amzn-bedrock-", "x-amzn-requestid")


class InvokedAnswer:
    """An answer's bytes and its headers, put together when the emitter reads it."""

    __slots__ = ("_body", "_headers")

    def __init__(self, body: bytes, headers: Mapping[str, str]) -> None:
        self._body = body
        self._headers = headers

    def to_dict(self) -> dict[str, Any]:
        """As boto3 puts it: the answer's own members, and `ResponseMetadata`. Raises ValueError for no JSON object."""
        found = json.loads(self._body, parse_float=Decimal)
        if not isinstance(found, dict):
            raise ValueError("no JSON object")  # noqa: TRY004 - what json.loads raises for no JSON, too
        return {**found, **_metadata(self._headers)}


def bedrock_envelope(headers: Mapping[str, str]) -> Envelope:
    """What hands over an answer, or a stream, together with those of its headers that count."""
    kept = {name.lower(): value for name, value in headers.items() if name.lower().startswith(_PREFIXES)}
    return Envelope(lambda body: InvokedAnswer(body, kept), _metadata(kept))


def _metadata(headers: Mapping[str, str]) -> dict[str, Any]:
    """As boto3 puts it."""
    return {
        "ResponseMetadata": {
            "RequestId": headers.get("x-amzn-requestid", ""),
            "HTTPHeaders": dict(headers),
        }
    }

"""The gateway's OpenAPI 3.1 description, made of the formats' own table and the models' own schemas.

Served at `/openapi.json`; `docs/schemas/gateway.openapi.json` is written by `python -m tests.gateway.openapi_file`.
"""

import json
import re
from typing import Any, Final

from pydantic import BaseModel

from producers.gateway.formats import Format, formats_by_path
from producers.gateway.responses import Accepted, Refused
from producers.gateway.stated import STATED_FIELDS
from tokenweir import __version__
from tokenweir.usage import UsageEvent

_REFERENCE: Final = "#/components/schemas/{model}"
_OTLP_TYPES: Final = ("application/x-protobuf", "application/json")
_VARIABLE: Final = re.compile(r"\{(\w+)\}")
_REFUSALS: Final = {
    400: "Nothing could be read, the body is broken or empty, or a parameter is unknown.",
    401: "A token is asked for, and this is not it.",
    403: "A browser sent it on behalf of another site.",
    404: "There is no reader for what the address names.",
    408: "The body took too long.",
    413: "The body is too large, packed or unpacked.",
    415: "A content type, charset or encoding that is not read here.",
    429: "The sender sent more than it may; the same can be sent again after Retry-After seconds.",
    503: "Kafka has not confirmed, or too much waits; the same can be sent again after Retry-After seconds.",
}
_RETRIED: Final = (429, 503)


def description() -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, Any] = {
        path: {"post": _operation(path, formats)} for path, formats in formats_by_path().items()
    }
    paths["/health"] = {
        "get": _plain("Whether Kafka can be reached; 503 while it cannot.", "application/json")
    }
    paths["/metrics"] = {"get": _plain("Counters for Prometheus.", "text/plain")}
    paths["/openapi.json"] = {"get": _plain("This description.", "application/json")}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tokenweir gateway",
            "version": __version__,
            "summary": "Usage of language models in, by HTTP.",
            "description": "Answers once Kafka has what was sent. Sending again is safe: a call counts once.",
        },
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(UsageEvent, Accepted, Refused),
        },
    }


def _operation(path: str, formats: tuple[Format, ...]) -> dict[str, Any]:
    first = formats[0]
    content: dict[str, Any] = {}
    for one in formats:
        for content_type in sorted(one.content_types):
            content.setdefault(content_type, {"schema": dict(one.schema)})
    return {
        "operationId": first.name + ("_" + "_".join(_VARIABLE.findall(path)) if "{" in path else ""),
        "summary": first.summary,
        "description": " ".join(f"{one.summary}: {one.description}" for one in formats if one.description)
        or first.summary,
        "parameters": [*_path_parameters(path, first), *_stated_parameters()],
        "requestBody": {"required": True, "content": content},
        "responses": _responses(first),
    }


def _path_parameters(path: str, one: Format) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": one.parameters[name],
            "schema": {"type": "string"},
        }
        for name in _VARIABLE.findall(path)
    ]


def _stated_parameters() -> list[dict[str, Any]]:
    fields = UsageEvent.model_json_schema()["properties"]
    return [
        {
            "name": name,
            "in": "query",
            "description": f"Holds for everything in the body; also as the header tokenweir-{name.replace('_', '-')}. "
            + fields[name].get("description", ""),
            "schema": {"type": "string", "maxLength": 256},
        }
        for name in STATED_FIELDS
    ]


def _responses(one: Format) -> dict[str, Any]:
    if one.answer == "native":
        answers = {"202": _answer("Kafka has every readable event.", "Accepted")}
        return answers | {
            str(status): _answer(text, "Refused", retried=status in _RETRIED)
            for status, text in _REFUSALS.items()
        }
    answers = {"200": _otlp("An Export…ServiceResponse; partial_success counts what was rejected.")}
    return answers | {
        str(status): _otlp(f"{text} A google.rpc.Status.", retried=status in _RETRIED)
        for status, text in _REFUSALS.items()
        if status != 404
    }


def _answer(text: str, model: str, *, retried: bool = False) -> dict[str, Any]:
    schema = {"$ref": _REFERENCE.format(model=model)}
    return {"description": text, **_retry(retried), "content": {"application/json": {"schema": schema}}}


def _otlp(text: str, *, retried: bool = False) -> dict[str, Any]:
    content: dict[str, Any] = {name: {"schema": {"type": "object"}} for name in _OTLP_TYPES}
    return {"description": text, **_retry(retried), "content": content}


def _retry(retried: bool) -> dict[str, Any]:
    header = {"description": "Seconds after which to send the same again.", "schema": {"type": "integer"}}
    return {"headers": {"Retry-After": header}} if retried else {}


def _plain(text: str, content_type: str) -> dict[str, Any]:
    schema = {"type": "string" if content_type == "text/plain" else "object"}
    return {
        "summary": text,
        "security": [],
        "responses": {"200": {"description": text, "content": {content_type: {"schema": schema}}}},
    }


def _schemas(*models: type[BaseModel]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for model in models:
        schema = model.model_json_schema(ref_template=_REFERENCE)
        found |= schema.pop("$defs", {})
        found[model.__name__] = schema
    return found


def text() -> str:
    """The document as the file has it."""
    return json.dumps(description(), indent=2, ensure_ascii=False) + "\n"

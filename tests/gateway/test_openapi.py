"""The OpenAPI description: the committed file, what is served, and that it describes every route."""

import json
import re

import jsonschema
import pytest
from jsonschema import Draft202012Validator

from producers.gateway.formats import formats, formats_by_path
from producers.gateway.openapi import description, text
from producers.gateway.responses import Accepted
from producers.gateway.stated import STATED_FIELDS
from tests.emitter.topic_contents import event
from tests.gateway.openapi_file import FILE
from tests.gateway.serving import serving
from tests.kafka.fixtures import EMBEDDED
from tokenweir.settings import KafkaSettings
from tokenweir.usage import wire


def test_the_file_is_what_the_gateway_says() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run: python -m tests.gateway.openapi_file"


def test_every_format_is_described_with_its_content_types() -> None:
    paths = description()["paths"]
    for one in formats():
        operation = paths[one.path]["post"]
        assert one.content_types <= set(operation["requestBody"]["content"])
        assert operation["summary"]
        named = {parameter["name"] for parameter in operation["parameters"]}
        assert set(re.findall(r"\{(\w+)\}", one.path)) | set(STATED_FIELDS) == named
    operations = [paths[path]["post"]["operationId"] for path in formats_by_path()]
    assert len(set(operations)) == len(operations)


def test_references_lead_somewhere_and_schemas_are_schemas() -> None:
    document = description()
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(re.findall(r'"\$ref": "([^"]+)"', text())) <= known
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    root = {"$ref": "#/components/schemas/UsageEvent", **document}
    jsonschema.validate(json.loads(wire.encode_event(event(1))), root)


@pytest.mark.parametrize("broker", [EMBEDDED], indirect=True)
async def test_it_is_served_and_answers_keep_to_it(settings: KafkaSettings) -> None:
    async with serving(settings) as client:
        served = await (await client.get("/openapi.json")).json()
        assert served == description()
        answer = await client.post(
            "/v1/events",
            data=wire.encode_event(event(1)) + b"\n{}",
            headers={"Content-Type": "application/x-ndjson"},
        )
        content = await answer.json()
        assert Accepted.model_validate(content).accepted == 1
        jsonschema.validate(content, {"$ref": "#/components/schemas/Accepted", **served})
        for path in formats_by_path():
            refused = await client.post(path.format(vendor="openai", surface="responses", format="litellm"))
            assert refused.status in (400, 415), path
            assert str(refused.status) in served["paths"][path]["post"]["responses"]

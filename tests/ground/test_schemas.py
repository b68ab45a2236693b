"""The JSON Schemas in docs/ are those of the models, and say the same of an event."""

import json
from pathlib import Path

import jsonschema
import pytest

from tests.ground.test_usage_event import event
from tokenweir.usage import MeteredEvent, UsageEvent
from tokenweir.usage.metered import METERING_FIELDS
from tokenweir.usage.opentelemetry import ATTRIBUTE_OF_FIELD, FIELD_OF_ATTRIBUTE
from tokenweir.usage.schema import SCHEMAS, schema_text
from tokenweir.usage.version import FULLNESS_FIELDS
from tokenweir.usage.wire import encode_event

DIRECTORY = Path(__file__).parents[2] / "docs" / "schemas"


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_file_is_the_models_own(name: str) -> None:
    assert (DIRECTORY / name).read_text() == schema_text(SCHEMAS[name]), (
        "run: python -m tokenweir.usage.schema docs/schemas"
    )


def test_an_event_on_the_wire_keeps_to_the_schema() -> None:
    schema = json.loads((DIRECTORY / "usage-event.schema.json").read_text())
    jsonschema.validate(json.loads(encode_event(event(tags={"a": "b"}, duration_ms=1.0))), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"id": "x", "prompt": "hello"}, schema)


def test_every_name_that_others_use_is_a_field() -> None:
    assert set(ATTRIBUTE_OF_FIELD) <= set(UsageEvent.model_fields)
    assert len(FIELD_OF_ATTRIBUTE) == len(ATTRIBUTE_OF_FIELD)
    assert set(FULLNESS_FIELDS) <= set(UsageEvent.model_fields)
    assert set(METERING_FIELDS) == set(MeteredEvent.model_fields) - set(UsageEvent.model_fields)

"""The compose file against the compose specification's own JSON schema, which the package check-jsonschema ships."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema.validators import validator_for

COMPOSE_FILE = Path(__file__).parents[2] / "docker-compose.yml"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    # Found, not imported: the package's own command line asks for a newer click than Faust allows.
    package = find_spec("check_jsonschema")
    assert package is not None
    assert package.submodule_search_locations is not None
    file = Path(package.submodule_search_locations[0]) / "builtin_schemas" / "vendor" / "compose-spec.json"
    return dict(json.loads(file.read_text(encoding="utf-8")))


def problems(document: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    return [error.message for error in validator_for(schema)(schema).iter_errors(document)]


def test_the_file_keeps_to_the_specification(schema: dict[str, Any]) -> None:
    assert problems(yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8")), schema) == []


def test_the_schema_would_say_if_it_did_not(schema: dict[str, Any]) -> None:
    document = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))
    document["services"]["kafka"]["helthcheck"] = {}
    assert problems(document, schema)

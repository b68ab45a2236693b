"""The compose file as docker compose would read it, with values for what the environment must supply."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.compose.names import REFERENCE

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def compose_text(root: Path) -> str:
    """The file as it stands."""
    return (root / "docker-compose.yml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def compose_raw(compose_text: str) -> dict[str, Any]:
    """The file with its merges made, its references to the environment left as they are."""
    document: dict[str, Any] = yaml.safe_load(compose_text)
    return document


@pytest.fixture(scope="session")
def compose(compose_text: str) -> dict[str, Any]:
    """The file with a value for every reference: the default where there is one, else a made-up secret."""

    def value(found: re.Match[str]) -> str:
        return found["text"] if found["kind"] == ":-" else f"secret{len(found['name'])}"

    document: dict[str, Any] = yaml.safe_load(REFERENCE.sub(value, compose_text))
    return document

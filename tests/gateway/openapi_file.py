"""Writes the gateway's OpenAPI description into docs/schemas: `python -m tests.gateway.openapi_file`."""

from pathlib import Path
from typing import Final

from producers.gateway.openapi import text

FILE: Final = Path(__file__).parents[2] / "docs" / "schemas" / "gateway.openapi.json"

if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")

"""The JSON Schemas of the events, for producers in other languages. Generated, never written by hand.

`python -m tokenweir.usage.schema DIRECTORY` writes them; a test holds the files in `docs/` to the models.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from tokenweir.bills.line import VendorBill
from tokenweir.signals.signal import Signal
from tokenweir.usage.event import UsageEvent
from tokenweir.usage.metered import MeteredEvent
from tokenweir.usage.rejection import Rejection

SCHEMAS: Final[dict[str, type[BaseModel]]] = {
    "usage-event.schema.json": UsageEvent,
    "metered-event.schema.json": MeteredEvent,
    "rejection.schema.json": Rejection,
    "vendor-bill.schema.json": VendorBill,
    "signal.schema.json": Signal,
}


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of `model` as it stands on the wire."""
    schema = model.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_text(model: type[BaseModel]) -> str:
    """The schema as the file holds it."""
    return json.dumps(json_schema(model), indent=2, sort_keys=True) + "\n"


def write_schemas(directory: Path) -> None:
    """Writes every schema into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, model in SCHEMAS.items():
        (directory / name).write_text(schema_text(model), encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/schemas"))

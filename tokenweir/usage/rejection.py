"""Why a piece of input was refused, and what of it is kept.

A rejection keeps the original bytes so that they can be mended and sent again, but only after every field that
could hold a prompt or an answer is taken out: what is not known to be harmless is replaced by its size.
"""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

Reason = Literal[
    "invalid_json",
    "wrong_type",
    "missing_field",
    "unknown_field",
    "out_of_range",
    "subset_exceeds_total",
    "implausible_time",
    "control_character",
    "too_large",
    "too_many_tags",
    "wrong_schema_version",
    "empty_batch",
    "store_refused",
]

MAX_KEPT_BYTES: Final = 64 * 1024
"""Of a refused piece at most so much is kept."""


class Rejection(BaseModel):
    """One refused line or message, on `tokenweir.rejected` and in the ledger's `rejected` table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(
        description="Where it stood: `<topic>/<partition>/<offset>/<line>`; the same at redelivery."
    )
    rejected_at: datetime
    stage: Literal["meter", "sink", "gateway", "collector"]
    reason: Reason
    field: str = ""
    detail: Annotated[str, Field(max_length=2000)] = Field(description="A sentence with what to do about it.")
    topic: str = ""
    partition: int = -1
    offset: int = -1
    line: int = Field(default=-1, description="From 0, within the message or the file.")
    key: str = ""
    size_bytes: int = Field(default=0, description="Of the piece as it came.")
    payload: str = Field(default="", description="The piece itself, content fields taken out, cut at 64 KiB.")
    truncated: bool = False

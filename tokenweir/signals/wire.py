"""Signals on the wire: one JSON object a Kafka message, keyed by fingerprint, so that an incident stays in order."""

from typing import Final

from pydantic import ValidationError

from tokenweir.errors import RejectedInput
from tokenweir.signals.signal import Signal

CONTENT_TYPE: Final = "application/json"


def encode_signal(signal: Signal) -> bytes:
    """The message value: one line of JSON."""
    return signal.model_dump_json().encode()


def decode_signals(value: bytes) -> list[Signal]:
    """The signals of a message, one a line. Raises RejectedInput for what is none."""
    try:
        return [Signal.model_validate_json(line) for line in value.split(b"\n") if line.strip()]
    except ValidationError as error:
        raise RejectedInput(
            "wrong_type",
            f"this is no signal: {error.errors(include_input=False, include_url=False)[0]['msg']}",
            hint="docs/schemas/signal.schema.json says what a signal holds",
        ) from error

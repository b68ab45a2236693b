"""What a person asks of an incident: to note that somebody has taken it up, or to tell nobody for a while.

A request travels on the windows topic, under its tenant's key, in a header of a message that holds no line. So it is
in order with the minutes, and the worker that has the tenant takes it up.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tokenweir.errors import RejectedInput
from tokenweir.usage.event import Moment, RequiredName

HEADER_REQUEST: Final = "tokenweir-signal-request"


class SignalRequest(BaseModel):
    """One request. `until` goes with a mute; a time that is past ends it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Literal["acknowledge", "mute"]
    tenant: RequiredName
    fingerprint: Annotated[str, Field(min_length=1, max_length=128)]
    by: RequiredName
    reason: Annotated[str, Field(max_length=1000)] = ""
    until: Moment | None = None

    @model_validator(mode="after")
    def _until_goes_with_a_mute(self) -> Self:
        if (self.until is None) is (self.action == "mute"):
            raise ValueError("a mute has an end, an acknowledgement has none")
        return self


def encode_request(request: SignalRequest) -> bytes:
    """The header's value."""
    return request.model_dump_json().encode()


def decode_request(value: bytes) -> SignalRequest:
    """The request in a header. Raises RejectedInput."""
    try:
        return SignalRequest.model_validate_json(value)
    except ValidationError as error:
        raise RejectedInput(
            "wrong_type",
            f"this is no request about a signal: {error.errors(include_input=False, include_url=False)[0]['msg']}",
        ) from error

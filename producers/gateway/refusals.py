"""A request that cannot be taken, as an error."""

from tokenweir.errors import TokenweirError


class RequestRefused(TokenweirError):
    """A request that cannot be taken as a whole.

    status: HTTP's. stage: for counting. retry_after_seconds: when the same can be sent again; 0 where it need not be.
    """

    def __init__(
        self, status: int, message: str, *, hint: str = "", stage: str = "body", retry_after_seconds: int = 0
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.stage = stage
        self.retry_after_seconds = retry_after_seconds


def too_large(max_bytes: int) -> RequestRefused:
    """The refusal of a body of more bytes than that, packed or unpacked."""
    return RequestRefused(
        413,
        f"the body has more than {max_bytes} bytes",
        hint="Send less at a time, or raise gateway.max_body_bytes",
    )

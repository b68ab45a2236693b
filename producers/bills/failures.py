"""Why a report could not be had.

Sentences name the report and never quote what the vendor answered: some answers repeat the key that they refuse.
"""

from tokenweir.errors import TokenweirError


class ReportUnavailable(TokenweirError):
    """The vendor does not answer now, or is asked too often. Asking again later can help."""

    def __init__(self, message: str, *, hint: str = "", retry_after_seconds: float = 60.0) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_seconds = retry_after_seconds


class ReportRefused(TokenweirError):
    """The vendor refuses the request: the key, the account, or what is asked. status: of HTTP."""

    def __init__(self, message: str, *, status: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class ReportUnreadable(TokenweirError):
    """The answer is not of the shape that the report has. Nothing of it is taken, what was known stays."""

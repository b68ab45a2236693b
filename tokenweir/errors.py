"""The errors that Tokenweir raises, and the form in which a person meets them.

Every error says what happened and to which input (`message`) and what to do next (`hint`). Code that catches
one decides by its type, never by its text.
"""


class TokenweirError(Exception):
    """Base of every error that Tokenweir raises on purpose.

    message: what happened, to which input. hint: what the reader can do next; may be empty.
    """

    exit_status = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class WrongCall(TokenweirError):
    """The caller asked for something that cannot be: a bad option, an unknown format, a wrong column map."""

    exit_status = 2


class RejectedInput(TokenweirError):
    """One piece of input that cannot be taken. The pieces beside it are not affected.

    reason: one word of the list in `tokenweir.usage.rejection`, stable, for counting.
    field: the field at fault, empty where it is the whole piece.
    """

    def __init__(self, reason: str, message: str, *, field: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason
        self.field = field


class StoreUnavailable(TokenweirError):
    """The store cannot take or answer anything now. Nothing is lost: what waits stays in Kafka."""

    def __init__(self, message: str, *, hint: str = "", retry_after_seconds: float = 1.0) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_seconds = retry_after_seconds


class BrokerUnavailable(TokenweirError):
    """Kafka cannot be reached or refuses what is sent."""

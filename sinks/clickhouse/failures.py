"""What a failure of ClickHouse means to the one who called: wait and try again, or this input is bad.

The engine's numeric error code decides, never its text. A code that is in neither list counts as the store's own
trouble: the block is held and tried again, and the message names the code, so that nothing is thrown away for a
reason that nobody has looked at.
"""

import re
from typing import Final

from clickhouse_connect.driver.exceptions import ClickHouseError

from sinks.clickhouse.columns import EVENT_COLUMNS, REJECTION_COLUMNS
from tokenweir.errors import RejectedInput, StoreUnavailable, TokenweirError

# Numbers of ClickHouse's ErrorCodes.cpp.
INPUT_CODES: Final[frozenset[int]] = frozenset(
    {
        6,  # CANNOT_PARSE_TEXT
        25,  # CANNOT_PARSE_ESCAPE_SEQUENCE
        26,  # CANNOT_PARSE_QUOTED_STRING
        27,  # CANNOT_PARSE_INPUT_ASSERTION_FAILED
        33,  # CANNOT_READ_ALL_DATA
        38,  # CANNOT_PARSE_DATE
        41,  # CANNOT_PARSE_DATETIME
        53,  # TYPE_MISMATCH
        69,  # ARGUMENT_OUT_OF_BOUND
        70,  # CANNOT_CONVERT_TYPE
        72,  # CANNOT_PARSE_NUMBER
        117,  # INCORRECT_DATA
        130,  # CANNOT_READ_ARRAY_FROM_TEXT
        131,  # TOO_LARGE_STRING_SIZE
        190,  # SIZES_OF_ARRAYS_DONT_MATCH
        306,  # TOO_DEEP_RECURSION
        321,  # VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
        349,  # CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
        376,  # CANNOT_PARSE_UUID
        407,  # DECIMAL_OVERFLOW
        467,  # CANNOT_PARSE_BOOL
        469,  # VIOLATED_CONSTRAINT
        645,  # CANNOT_PARSE_IPV4 and its like never occur here, yet are data errors all the same
    }
)
AUTHENTICATION_CODES: Final = frozenset({192, 193, 194, 516})
ACCESS_DENIED: Final = 497
MISSING_SCHEMA_CODES: Final = frozenset({60, 81})
FULL_DISK_CODES: Final = frozenset({243, 75})
OVERLOAD_CODES: Final = frozenset({241, 252, 202, 203})

_MAX_TEXT: Final = 400
_COLUMNS: Final = frozenset((*EVENT_COLUMNS, *REJECTION_COLUMNS))
_COLUMN: Final = re.compile(r"\(while reading the value of key (\w{1,64})\)")
_QUOTATION: Final = re.compile(r"['\"`{(]| before:| format:|Stack trace")
_ONE_BLANK: Final = re.compile(r"\s+")
_CODE_PREFIX: Final = re.compile(r"(?:Code: \d+\. )?DB::(?:Net)?Exception: ")


def failure_of(error: ClickHouseError | OSError, doing: str) -> TokenweirError:
    """The typed error for what the engine or its transport said while `doing` (a clause, e.g. "reading usage").

    Returns RejectedInput, StoreUnavailable, or plain TokenweirError where a person has to change a setting.
    """
    text = brief(error)
    if isinstance(error, OSError):
        return StoreUnavailable(
            f"The ledger cannot be reached while {doing}: {text}",
            hint="Is there room left on the disk, and is the store running?",
            retry_after_seconds=2.0,
        )
    code = getattr(error, "code", None)
    if code in INPUT_CODES:
        sentence, field = _input_problem(error)
        return RejectedInput(
            "store_refused", f"ClickHouse cannot take this input while {doing}: {sentence}", field=field
        )
    if code in AUTHENTICATION_CODES:
        return TokenweirError(
            f"ClickHouse refuses the user or the password while {doing}",
            hint="Check TOKENWEIR_CLICKHOUSE__DSN.",
        )
    if code == ACCESS_DENIED:
        return TokenweirError(
            f"The ClickHouse user lacks a right while {doing}: {text}",
            hint="Grant it, or name another user in TOKENWEIR_CLICKHOUSE__DSN.",
        )
    if code in MISSING_SCHEMA_CODES:
        return StoreUnavailable(
            f"The ledger's schema is not there while {doing}: {text}",
            hint="Run `weir migrate`.",
            retry_after_seconds=5.0,
        )
    if code in FULL_DISK_CODES:
        return StoreUnavailable(
            f"The ledger has no room left on its disk while {doing}: {text}",
            hint="Free some space; what waits stays in Kafka.",
            retry_after_seconds=10.0,
        )
    if code in OVERLOAD_CODES:
        return StoreUnavailable(
            f"ClickHouse is overloaded while {doing}: {text}",
            hint="It is tried again; fewer sinks or larger blocks (flush_events) ease it.",
            retry_after_seconds=2.0,
        )
    return StoreUnavailable(f"ClickHouse failed while {doing}: {text}", hint="It is tried again.")


def _input_problem(error: ClickHouseError) -> tuple[str, str]:
    """What the engine says of an input that it cannot take, without what it quotes of it, and the column at fault.

    What it quotes may be anything that somebody sent, and the sentence goes to the log and to the rejects.
    """
    text = _ONE_BLANK.sub(" ", _CODE_PREFIX.sub("", str(error)))
    column = _COLUMN.search(text)
    name = column[1] if column is not None and column[1] in _COLUMNS else ""
    sentence = _QUOTATION.split(text, maxsplit=1)[0].rstrip(" .:,")[:_MAX_TEXT]
    return f"{sentence} (column {name})" if name else sentence, name


def brief(error: BaseException) -> str:
    """The first sentence of an engine's error: no stack trace, no query, no repeated prefixes, on one line."""
    text = str(error).split("Stack trace", maxsplit=1)[0].split(": While executing", maxsplit=1)[0]
    text = _CODE_PREFIX.sub("", text)
    text = re.sub(r": \(in file/uri [^)]*\)", "", text)
    text = " ".join(text.split()).rstrip(" .:")
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"

"""Facts of an answer that are words of a fixed form: error codes, sizes of pictures, resolutions of videos.

Invariants: what is not of its form is left out, so that nothing a person wrote gets past a reader under the name
of a code or a size; a fact of the wrong form never costs the event.
"""

import re
from typing import Any, Final

from producers.vendors.answer import Answer
from tokenweir.errors import RejectedInput

_CODE: Final = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
_SIZE: Final = re.compile(r"(\d{2,5}) ?[x*] ?(\d{2,5})")
_RESOLUTION: Final = re.compile(r"(\d{3,4})[pP]?|([1248])[kK]")
_LARGEST_CODE: Final = 10**12
_MOST_SIZES: Final = 4
"""More sizes than these in one answer are not told apart: a tag is short."""


def error_code(answer: Answer, *paths: str) -> str:
    """The code at the first of `paths` that holds a number or a word of letters, digits, `_`, `.` and `-`; else ""."""
    for path in paths:
        value = _found(answer, path)
        if type(value) is int and abs(value) <= _LARGEST_CODE:
            return str(value)
        if isinstance(value, str) and _CODE.fullmatch(value):
            return value
    return ""


def size(value: Any, height: Any = None) -> str:
    """`2048x1024` for a size as hosts write it (`2048*1024`, `2048x1024`, or width and height); "" for all else."""
    if type(value) is int and type(height) is int and max(abs(value), abs(height)) <= _LARGEST_CODE:
        value = f"{value}x{height}"
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    return f"{found[1]}x{found[2]}" if found else ""


def sizes(values: list[Any]) -> str:
    """The different sizes among `values` in order, with commas; "" where there is none, or more than a tag takes."""
    found = [known for known in dict.fromkeys(map(size, values)) if known]
    return ",".join(found) if len(found) <= _MOST_SIZES else ""


def resolution(value: Any) -> str:
    """`720p`, `4k` for a resolution as hosts write it (720, "720", "720P", "4K"); "" for everything else."""
    if type(value) is int and abs(value) <= _LARGEST_CODE:
        value = str(value)
    found = _RESOLUTION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return ""
    return f"{found[1]}p" if found[1] else f"{found[2]}k"


def tagged(**tags: str) -> dict[str, Any]:
    """`facts` of a Reading with the tags that are not empty; {} where all are."""
    said = {name: value for name, value in tags.items() if value}
    return {"tags": said} if said else {}


def _found(answer: Answer, path: str) -> Any:
    try:
        return answer.find(path)
    except RejectedInput:
        return None

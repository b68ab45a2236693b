"""What of httpx or httpx2 a response belongs to, and how its packed body is unpacked beside the application.

The unpacking is the one that the response's own library has, so that it knows every encoding which the library asked
the vendor for; each body gets an unpacker of its own.
"""

import sys
from types import ModuleType
from typing import Any, Final

from producers.instrumentation.observation import Decode

_LIBRARIES: Final = ("httpx", "httpx2")


def library_of(instance: Any) -> ModuleType:
    """The library, already imported, that an object's class comes from. Raises TypeError for another's."""
    for kind in type(instance).__mro__:
        name = kind.__module__.partition(".")[0]
        if name in _LIBRARIES:
            return sys.modules[name]
    raise TypeError(f"{type(instance).__name__} is no class of httpx")


def decoder_of(response: Any) -> Decode | None:
    """What unpacks a body as this response announces it; None where it is not packed."""
    encoding = response.headers.get("content-encoding", "identity")
    if encoding.strip().lower() in ("", "identity"):
        return None
    twin = library_of(response).Response(200, headers={"content-encoding": encoding})
    decode: Decode = twin._get_content_decoder().decode
    return decode

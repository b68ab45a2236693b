"""Asking OpenAI's chat streams for their usage, which they state only on demand, without the application noticing.

Only where it is asked for (`ask_for_stream_usage`): the request is changed by `stream_options.include_usage`, and the
chunk that the vendor adds for it, without choices and with the usage, is taken out of the stream again, because an
application that looks at `choices[0]` would break on it. A request that asks for the usage itself is left alone, and
so is its stream.

Invariants: the rest of the request's text stays as it is, byte for byte, unless it had stream options of its own; of
the stream only whole events are left out, and no event is held back that is whole.
Limits: the other chunks hold `"usage": null` then, which the client shows as None either way. A body that is
packed in spite of `accept-encoding: identity`, and one with an event of more than MAX_EVENT_BYTES, keeps the chunk.
Source: OpenAI's API reference, `stream_options`.
"""

import json
import re
from typing import Any, Final

from producers.instrumentation.request_facts import outermost_names, outermost_words

MAX_EVENT_BYTES: Final = 1024 * 1024

_PATHS: Final = ("/chat/completions", "/completions")
_OPTION: Final = b'"stream_options":{"include_usage":true},'
_EVENT_END: Final = re.compile(rb"\r\n\r\n|\n\n|\r\r")


def ask_for_usage(request: Any) -> Any | None:
    """A request of httpx that asks for the usage, too; None where `request` is not to be changed. Never raises."""
    try:
        return _ask_for_usage(request)
    except Exception:  # noqa: BLE001 - the boundary to the application: its own request will do
        return None


def _ask_for_usage(request: Any) -> Any | None:
    if not request.url.path.endswith(_PATHS):
        return None
    body = request.content
    if outermost_words(body, ("stream",)).get("stream") != "true":
        return None
    if "stream_options" in outermost_names(body):
        stated = json.loads(body)
        options = stated["stream_options"] or {}
        if options.get("include_usage"):
            return None
        stated["stream_options"] = {**options, "include_usage": True}
        changed = json.dumps(stated, ensure_ascii=False, separators=(",", ":")).encode()
    else:
        at = body.index(b"{") + 1
        changed = body[:at] + _OPTION + body[at:]
    headers = request.headers.copy()
    headers["content-length"] = str(len(changed))
    headers["accept-encoding"] = "identity"
    return type(request)(
        request.method, request.url, headers=headers, content=changed, extensions=request.extensions
    )


class UsageHider:
    """Takes the chunk with the usage out of a chat stream's bytes."""

    def __init__(self) -> None:
        self._held = b""
        self._gives_up = False

    @staticmethod
    def fits(response: Any) -> bool:
        """Whether this response's bytes are events in plain."""
        return (
            response.headers.get("content-type", "").startswith("text/event-stream")
            and "content-encoding" not in response.headers
        )

    def feed(self, data: bytes) -> bytes:
        """What of the stream may be handed on, `data` being its next bytes."""
        if self._gives_up:
            return data
        held = self._held + data
        whole: list[bytes] = []
        begin = 0
        for end in _EVENT_END.finditer(held):
            event = held[begin : end.end()]
            begin = end.end()
            if not _states_usage_alone(event):
                whole.append(event)
        self._held = held[begin:]
        if len(self._held) > MAX_EVENT_BYTES:
            self._gives_up = True
            whole.append(self.rest())
        return b"".join(whole)

    def rest(self) -> bytes:
        """What is held, at the end of the stream."""
        rest, self._held = self._held, b""
        return rest


def _states_usage_alone(event: bytes) -> bool:
    text = event.strip()
    if b'"usage"' not in text or not text.startswith(b"data:"):
        return False
    try:
        chunk = json.loads(text[5:])
    except (ValueError, RecursionError):
        return False
    return isinstance(chunk, dict) and chunk.get("choices") == [] and bool(chunk.get("usage"))

"""Names and sentences of others in a message: on one line, cut, without effect in text, Markdown or HTML. Pure.

Names come from whoever reports usage. In a message they neither mention anybody, nor make a link, nor a format.
"""

import html
import re
import unicodedata
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

Format = Literal["text", "markdown", "html"]

_UNJOINED: Final = "\u200b"
_MENTION: Final = re.compile(r"@(?=[^\s\d])")
_TAG: Final = re.compile(r"<(?=\S)")
_LINK: Final = re.compile(r":(?=//)|(?<=\bwww)\.", re.IGNORECASE)
_MARKDOWN: Final = re.compile(r"([\\`*_\[\]<>~|#!&])")
_FENCE: Final = "`"


def plain(text: str, longest: int) -> str:
    """On one line, without control characters and other invisible ones, of so many characters at most."""
    visible = "".join(" " if unicodedata.category(one)[0] in "CZ" else one for one in text)
    line = " ".join(visible.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def unlinked(line: str) -> str:
    """Without what chat programs make a mention or a link of: an invisible space stands in it."""
    line = _MENTION.sub("@" + _UNJOINED, line)
    line = _TAG.sub("<" + _UNJOINED, line)
    return _LINK.sub(lambda found: found[0] + _UNJOINED, line)


class Style(NamedTuple):
    """How a format writes things. `escape` takes a line of others; the rest takes what is escaped, or our own."""

    format: Format
    escape: Callable[[str], str]
    bold: Callable[[str], str]
    code: Callable[[str], str]
    link: Callable[[str], str]
    item: Callable[[str], str]
    line_end: str

    def say(self, text: str, longest: int) -> str:
        """What others wrote, cut and harmless."""
        return self.escape(unlinked(plain(text, longest)))


def _same(text: str) -> str:
    return text


def _html_link(url: str) -> str:
    safe = html.escape(url)
    return f'<a href="{safe}">{safe}</a>'


STYLES: Final[dict[Format, Style]] = {
    "text": Style("text", _same, _same, _same, _same, lambda text: f"- {text}", "\n"),
    "markdown": Style(
        "markdown",
        lambda text: _MARKDOWN.sub(r"\\\1", text),
        lambda text: f"**{text}**",
        lambda text: f"`{text.replace(_FENCE, '')}`",
        lambda url: f"<{url}>",
        lambda text: f"- {text}",
        "  \n",
    ),
    "html": Style(
        "html",
        html.escape,
        lambda text: f"<b>{text}</b>",
        lambda text: f"<code>{html.escape(text)}</code>",
        _html_link,
        lambda text: f"• {text}",
        "<br>\n",
    ),
}

"""The pages of the documentation, taken apart: fenced blocks, the commands in them, inline code, links."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = tuple(
    sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")], key=str)
)

_FENCE: Final = re.compile(r"^\s*```(?P<language>\S*)\s*$")
_CODE: Final = re.compile(r"(?<!`)`(?P<text>[^`\n]+)`(?!`)")
_LINK: Final = re.compile(
    r"""!?\[[^\]]*\]\((?P<target>[^)\s]+)\)|\b(?:src|srcset|href)="(?P<attribute>[^"]+)\""""
)
_HEADING: Final = re.compile(r"^#+ +(?P<text>.+?)\s*$")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. line: of its first line of text, counted from 1."""

    language: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a page with the line that it begins on."""

    text: str
    line: int


def page_name(page: Path) -> str:
    """The path of a page within the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [part for part in _parts(page) if isinstance(part, Block)]


def code_spans(page: Path) -> list[Piece]:
    """Inline code outside of fenced blocks."""
    return [
        Piece(match["text"].replace("\\|", "|").strip(), part.line)
        for part in _parts(page)
        if isinstance(part, Piece)
        for match in _CODE.finditer(part.text)
    ]


def links(page: Path) -> list[Piece]:
    """Targets of links and images outside of fenced blocks and inline code."""
    return [
        Piece(match["target"] or match["attribute"], part.line)
        for part in _parts(page)
        if isinstance(part, Piece)
        for match in _LINK.finditer(_CODE.sub("", part.text) if "`[" in part.text else part.text)
    ]


def anchors(page: Path) -> set[str]:
    """The names by which the headings of a page can be linked to."""
    found = set()
    for part in _parts(page):
        heading = _HEADING.match(part.text) if isinstance(part, Piece) else None
        if heading:
            words = re.sub(r"[^\w\- ]", "", heading["text"].lower())
            found.add(words.replace(" ", "-"))
    return found


def commands(block: Block) -> Iterator[Piece]:
    """The commands of a shell block, each with its continued lines and quoted line breaks."""
    pending, began = "", block.line
    for number, line in enumerate(block.text.split("\n"), start=block.line):
        if not pending:
            began = number
        pending += line + "\n"
        if line.endswith("\\") or not _is_closed(pending):
            continue
        if shlex.split(pending, comments=True):
            yield Piece(pending.strip(), began)
        pending = ""
    assert not pending, f"line {began}: a quote is never closed"


def _is_closed(text: str) -> bool:
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return True


def _parts(page: Path) -> Iterator[Block | Piece]:
    """Fenced blocks, and the lines between them one by one."""
    language: str | None = None
    gathered: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        fence = _FENCE.match(line)
        if fence is None:
            if language is None:
                yield Piece(line, number)
            else:
                gathered.append(line)
        elif language is None:
            language, gathered = fence["language"], []
        else:
            yield Block(language, "\n".join(gathered), number - len(gathered))
            language = None
    assert language is None, f"{page_name(page)}: a block is never closed"

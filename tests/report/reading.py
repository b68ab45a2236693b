"""A report read back as a browser reads it: its elements, with their attributes and texts."""

import json
from datetime import datetime
from html.parser import HTMLParser
from typing import Any, Final

from dashboards.report import ReportPeriod, Wanted, document, gather
from tests.panels.month import DATABASE, PanelLedger

VERSION: Final = "9.8.7"
_VOID: Final = frozenset({"meta", "br", "link", "img", "input"})


async def report_of(ledger: PanelLedger, period: ReportPeriod, made_at: datetime, **more: Any) -> str:
    """The report's text, asked of the ledger through its read-only door."""
    content = await gather(Wanted(period, made_at, **more), ledger.reader.rows, database=DATABASE)
    return document(content, version=VERSION)


class Element:
    """An element with what is in it."""

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Element | str] = []

    @property
    def text(self) -> str:
        return "".join(each if isinstance(each, str) else each.text for each in self.children)

    def all(self, tag: str = "", **attributes: str) -> list["Element"]:
        """All elements below this one of that tag and with these attributes."""
        found: list[Element] = []
        for each in self.children:
            if isinstance(each, Element):
                wanted = {name.replace("_", "-"): value for name, value in attributes.items()}
                if tag in ("", each.tag) and wanted.items() <= each.attributes.items():
                    found.append(each)
                found += each.all(tag, **attributes)
        return found

    def the(self, tag: str = "", **attributes: str) -> "Element":
        """The only such element."""
        (found,) = self.all(tag, **attributes)
        return found

    @property
    def cells(self) -> list[str]:
        """The texts of a row's cells."""
        return [each.text for each in self.children if isinstance(each, Element)]

    @property
    def exact(self) -> list[str]:
        """The values of a row's cells that have any, as they are in the ledger."""
        return [
            each.attributes["data-value"]
            for each in self.children
            if isinstance(each, Element) and "data-value" in each.attributes
        ]


class Report(HTMLParser):
    """The whole file. Every element is closed where it was opened, or this raises AssertionError."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = Element("", {})
        self._open = [self.root]
        self._by_id: dict[str, Element] = {}
        self.feed(text)
        self.close()
        assert len(self._open) == 1, [each.tag for each in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if "id" in element.attributes:
            assert self._by_id.setdefault(element.attributes["id"], element) is element
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, (self._open[-1].tag, tag)
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)

    @property
    def said(self) -> str:
        """What a person reads without scripts."""
        return self.root.the("main").text

    @property
    def answers(self) -> Any:
        return json.loads(self.root.the("script", id="answers").text)

    def panel(self, board: str, name: str) -> Element:
        return self._by_id[f"{board}-{name}"]

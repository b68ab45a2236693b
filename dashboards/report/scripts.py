"""The page's drawing code as one script that stands in the file itself, and plotly.js beside it.

The modules stay the page's own; each becomes a function that hands out what it exports. Of one that stands in
`assets` here too (`address`: what is chosen, and where a click leads) the one here is taken: in a report nothing is
chosen and nothing leads anywhere. Only the forms of import and export that the page uses are known; another is a
ValueError, as is a name that nobody exports.
"""

import re
from functools import cache
from importlib import resources
from typing import Final

_ENTRY: Final = "report"
_IMPORT: Final = re.compile(r'^import \{([^}]*)\} from "\./([a-z]+)\.js";$', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export ((?:async )?function|const|class) (\w+)", re.MULTILINE)
_LEFT_OVER: Final = re.compile(r"^(import|export)\b|\bimport\(", re.MULTILINE)


@cache
def drawing_script() -> str:
    """The script that draws the report's charts; it needs plotly.js before it."""
    order: list[str] = []
    _visit(_ENTRY, order, ())
    parts = [_as_function(name) for name in order]
    return _in_html('"use strict";\n(() => {\nconst modules = {};\n' + "\n".join(parts) + "\n})();\n")


@cache
def plotly_script() -> str:
    """plotly.js of the installed package."""
    script = resources.files("plotly") / "package_data" / "plotly.min.js"
    return _in_html(script.read_text(encoding="utf-8"))


@cache
def styles() -> str:
    """The page's own style sheet, and what a report changes of it."""
    page = (resources.files("dashboards.page") / "assets" / "page.css").read_text(encoding="utf-8")
    own = (resources.files("dashboards.report") / "assets" / "report.css").read_text(encoding="utf-8")
    return f"{page}\n{own}".replace("</", r"<\/")


def _source(name: str) -> str:
    own = resources.files("dashboards.report") / "assets" / f"{name}.js"
    found = own if own.is_file() else resources.files("dashboards.page") / "assets" / f"{name}.js"
    return found.read_text(encoding="utf-8")


def _visit(name: str, order: list[str], path: tuple[str, ...]) -> None:
    """Puts the modules that this one needs before it."""
    if name in path:
        raise ValueError(f"the modules {', '.join(path)} need one another")
    if name in order:
        return
    for found in _IMPORT.finditer(_source(name)):
        _visit(found[2], order, (*path, name))
    order.append(name)


def _exported(name: str) -> list[str]:
    return [found[2] for found in _EXPORT.finditer(_source(name))]


def _as_function(name: str) -> str:
    source = _source(name)
    for found in _IMPORT.finditer(source):
        missing = {part.split(" as ")[0].strip() for part in found[1].split(",")} - {"", *_exported(found[2])}
        if missing:
            raise ValueError(
                f"{name}.js wants {', '.join(sorted(missing))} of {found[2]}.js, which has no such export"
            )
    body = _EXPORT.sub(r"\1 \2", _IMPORT.sub(_as_constants, source))
    left = _LEFT_OVER.search(body)
    if left:
        raise ValueError(f"{name}.js has a form of import or export that is not known here: {left[0]}")
    return f"modules.{name} = (() => {{\n{body}\nreturn {{ {', '.join(_exported(name))} }};\n}})();"


def _as_constants(found: re.Match[str]) -> str:
    names = ", ".join(part.strip().replace(" as ", ": ") for part in found[1].split(",") if part.strip())
    return f"const {{ {names} }} = modules.{found[2]};"


def _in_html(script: str) -> str:
    """The script with nothing in it that would end its element; within texts of a script both read the same."""
    return script.replace("</script", r"<\/script").replace("<!--", r"<\!--")

"""The registry of boards and panels: a folder here is a board, a module in it with a `PANEL` is a panel of that board.

A new panel is one new file; a new board is a folder whose `__init__` has a `BOARD`.
"""

import importlib
import pkgutil
from functools import cache
from typing import NamedTuple

import dashboards.panels
from dashboards.panels.panel import Board, Panel
from tokenweir.errors import WrongCall


class BoardPanels(NamedTuple):
    """A board and its panels in their order."""

    board: Board
    panels: tuple[Panel, ...]

    def panel(self, name: str) -> Panel:
        """The panel of that name. Raises WrongCall where there is none."""
        for each in self.panels:
            if each.name == name:
                return each
        raise WrongCall(
            f"board {self.board.name!r} has no panel {name!r}",
            hint=f"Known are {', '.join(each.name for each in self.panels)}",
        )


@cache
def boards() -> tuple[BoardPanels, ...]:
    """All boards in their order. Raises TypeError where a folder has no board, ValueError where
    two panels share a name or one goes on to a board that is none."""
    found: list[BoardPanels] = []
    for folder in pkgutil.iter_modules(dashboards.panels.__path__):
        if not folder.ispkg:
            continue
        package = importlib.import_module(f"dashboards.panels.{folder.name}")
        board = getattr(package, "BOARD", None)
        if not isinstance(board, Board):
            raise TypeError(f"dashboards/panels/{folder.name} has no BOARD")
        modules = [
            importlib.import_module(f"{package.__name__}.{module.name}")
            for module in pkgutil.iter_modules(package.__path__)
        ]
        panels = sorted(
            (module.PANEL for module in modules if hasattr(module, "PANEL")),
            key=lambda panel: (panel.place, panel.name),
        )
        names = [panel.name for panel in panels]
        if len(set(names)) != len(names):
            raise ValueError(f"two panels of the board {board.name!r} share a name: {sorted(names)}")
        found.append(BoardPanels(board, tuple(panels)))
    found.sort(key=lambda each: (each.board.place, each.board.name))
    known = {each.board.name for each in found}
    for each in found:
        for panel in each.panels:
            if panel.drill_down and panel.drill_down not in known:
                raise ValueError(
                    f"panel {panel.name!r} goes on to the board {panel.drill_down!r}, which is none"
                )
    return tuple(found)


def board(name: str) -> BoardPanels:
    """The board of that name. Raises WrongCall where there is none."""
    for each in boards():
        if each.board.name == name:
            return each
    raise WrongCall(
        f"there is no board {name!r}", hint=f"Known are {', '.join(each.board.name for each in boards())}"
    )

"""The boards as the browser needs them: what each panel asks, how it is drawn, and nothing of its SQL."""

from typing import Any, Final

from dashboards.panels.panel import Field, Panel
from dashboards.panels.registry import BoardPanels, boards
from dashboards.panels.template import slots_of
from dashboards.panels.variables import GROUPS, VARIABLES
from dashboards.period import RANGES

_OF_THE_PERIOD: Final = frozenset({"in_period", "before_period", "since", "until", "step"})


def all_boards() -> dict[str, Any]:
    """Boards, variables, groups and ranges as one JSON object."""
    return {
        "boards": [_board(each) for each in boards()],
        "variables": [{"name": name, "title": title} for name, title in VARIABLES.items()],
        "groups": [{"name": name, "title": title} for name, title in GROUPS.items()],
        "ranges": [*RANGES, "all"],
    }


def _board(each: BoardPanels) -> dict[str, Any]:
    board, panels = each
    heeded = frozenset[str]().union(*(panel.variables for panel in panels))
    return {
        "name": board.name,
        "title": board.title,
        "description": board.description,
        "period": board.period,
        "variables": [name for name in VARIABLES if name in heeded],
        "by": any("by" in slots_of(panel.sql) for panel in panels),
        "then_by": any("then_by" in slots_of(panel.sql) for panel in panels),
        "panels": [_panel(panel) for panel in panels],
    }


def _panel(panel: Panel) -> dict[str, Any]:
    slots = slots_of(panel.sql)
    return {
        "name": panel.name,
        "title": panel.title,
        "description": panel.description,
        "kind": panel.kind,
        "fields": [_field(each) for each in panel.fields],
        "width": panel.width,
        "height": panel.height,
        "thresholds": [{"value": each.value, "level": each.level} for each in panel.thresholds],
        "stacked": panel.stacked,
        "drill_down": panel.drill_down,
        "empty": panel.empty,
        "variables": [name for name in VARIABLES if name in panel.variables],
        # Whether its times are steps of the chart, and whether the period chosen bounds it at all.
        "stepped": "step" in slots,
        "heeds_period": bool(slots & _OF_THE_PERIOD),
        "by": "by" in slots,
        "then_by": "then_by" in slots,
    }


def _field(field: Field) -> dict[str, str]:
    return {"name": field.name, "title": field.title, "unit": field.unit, "variable": field.variable}

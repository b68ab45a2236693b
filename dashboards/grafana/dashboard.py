"""A board as a Grafana dashboard: its panels laid out in rows, its variables, its links."""

import zlib
from collections.abc import Iterator
from typing import Final

from dashboards.grafana.kinds import drawing
from dashboards.grafana.links import dashboard_uid, panel_links
from dashboards.grafana.model import (
    CLICKHOUSE_PLUGIN_VERSION,
    GRAFANA_VERSION,
    SCHEMA_VERSION,
    TAG,
    AnnotationQuery,
    Dashboard,
    GrafanaPanel,
    GridPosition,
    Link,
    Target,
    data_source,
)
from dashboards.grafana.sql import grafana_sql, variables_of
from dashboards.grafana.variables import variables
from dashboards.panels.annotations import ANNOTATIONS
from dashboards.panels.panel import Panel
from dashboards.panels.registry import BoardPanels

DATABASE: Final = "tokenweir"
_COLUMNS: Final = 24
_STEPS: Final = 100
_PERIODS: Final = {
    "1h": "now-1h",
    "6h": "now-6h",
    "24h": "now-24h",
    # Whole days, so that no step of the first day is cut.
    "7d": "now-6d/d",
    "30d": "now-29d/d",
}


def dashboard(each: BoardPanels, *, database: str = DATABASE) -> Dashboard:
    """The board's dashboard. Raises ValueError where two panels would get the same number."""
    board, panels = each
    drawn = [
        _panel(panel, board.name, place, database)
        for panel, place in zip(panels, _places(panels), strict=True)
    ]
    if len({panel["id"] for panel in drawn}) != len(drawn):
        raise ValueError(f"two panels of {board.name!r} get the same number; rename one of them")
    queries = [target["rawSql"] for panel in drawn for target in panel["targets"]]
    mentioned: frozenset[str] = frozenset().union(*(variables_of(sql) for sql in queries))
    return {
        "id": None,
        "uid": dashboard_uid(board.name),
        "title": board.title,
        "description": board.description,
        "tags": [TAG],
        # The ledger's days are those of UTC.
        "timezone": "utc",
        "weekStart": "monday",
        "editable": True,
        "graphTooltip": 1,
        "time": {"from": _PERIODS[board.period], "to": "now"},
        "refresh": "1m",
        "schemaVersion": SCHEMA_VERSION,
        "version": 0,
        "panels": drawn,
        "templating": {"list": variables(mentioned, database)},
        "annotations": {"list": [_own_annotations(), _incident_annotations(database)]},
        "links": [_boards_link()],
    }


def panel_id(name: str) -> int:
    """A panel's number on its dashboard, which follows from its name: it stands in links and alert rules."""
    return zlib.crc32(name.encode()) % 1_000_000 + 1


def _panel(panel: Panel, board: str, place: GridPosition, database: str) -> GrafanaPanel:
    drawn = drawing(panel, board, database)
    target: Target = {
        "refId": "A",
        "datasource": data_source(),
        "editorType": "sql",
        "rawSql": drawn.sql,
        "queryType": drawn.shape,
        "format": 0 if drawn.shape == "timeseries" else 1,
        "pluginVersion": CLICKHOUSE_PLUGIN_VERSION,
    }
    result: GrafanaPanel = {
        "id": panel_id(panel.name),
        "type": drawn.type,
        "title": panel.title,
        "description": panel.description,
        "pluginVersion": GRAFANA_VERSION,
        "gridPos": place,
        "datasource": data_source(),
        "targets": [target],
        "fieldConfig": drawn.config,
        "options": drawn.options,
        # The data source's interval follows from it: about as many steps as the local page draws.
        "maxDataPoints": _STEPS,
    }
    if links := panel_links(panel, board):
        result["links"] = links
    return result


def _places(panels: tuple[Panel, ...]) -> Iterator[GridPosition]:
    """From left to right; a new row where the next panel does not fit, below the highest of the row."""
    left, top, height = 0, 0, 0
    for panel in panels:
        width = panel.width * 2
        if left + width > _COLUMNS:
            left, top, height = 0, top + height, 0
        yield {"h": panel.height, "w": width, "x": left, "y": top}
        left, height = left + width, max(height, panel.height)


def _own_annotations() -> AnnotationQuery:
    """What people note in Grafana itself."""
    return {
        "name": "Annotations & Alerts",
        "datasource": {"type": "grafana", "uid": "-- Grafana --"},
        "enable": True,
        "hide": True,
        "iconColor": "rgba(0, 211, 255, 1)",
        "type": "dashboard",
        "builtIn": 1,
    }


def _incident_annotations(database: str) -> AnnotationQuery:
    """Incidents, from when they began until they were over."""
    sql = (
        "SELECT\n    time,\n    until AS timeEnd,\n"
        "    concat(severity, ' ', kind, ', ', now_is, ': ', title) AS text,\n    kind AS tags\n"
        f"FROM\n(\n{grafana_sql(ANNOTATIONS.sql, database)}\n)\nORDER BY time, text"
    )
    return {
        "name": "Incidents",
        "datasource": data_source(),
        "enable": True,
        "hide": False,
        "iconColor": "orange",
        "target": {
            "refId": "Incidents",
            "datasource": data_source(),
            "editorType": "sql",
            "rawSql": sql,
            "queryType": "table",
            "format": 1,
            "pluginVersion": CLICKHOUSE_PLUGIN_VERSION,
        },
    }


def _boards_link() -> Link:
    return {
        "title": "Boards",
        "type": "dashboards",
        "icon": "external link",
        "tooltip": "The other boards, with the same choice",
        "tags": [TAG],
        "asDropdown": True,
        "targetBlank": False,
        "includeVars": True,
        "keepTime": True,
    }

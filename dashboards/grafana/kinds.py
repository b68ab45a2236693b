"""One drawing for each kind of panel: which of Grafana's panels it is, what it asks, and with which options.

Grafana has no panel for a flow without a plugin, and draws a state timeline only from one series a name; both are
tables here. Over time and as bars the measures are drawn that share the unit of the first, since a dollar and a call
have no axis in common; the others are left out of the query.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from dashboards.grafana.fields import field_config, labels, measures
from dashboards.grafana.model import FieldConfig, JsonObject, Property
from dashboards.grafana.sql import grafana_sql
from dashboards.grafana.units import UNITS
from dashboards.panels.panel import Field, Kind, Panel, Unit

Shape = Literal["timeseries", "table"]
_DIGITS: Final = 12


@dataclass(frozen=True)
class Drawing:
    """What is Grafana's own about a panel. fields: the columns of `sql` in their order."""

    type: str
    sql: str
    shape: Shape
    fields: tuple[Field, ...]
    config: FieldConfig
    options: JsonObject


def drawing(panel: Panel, board: str, database: str) -> Drawing:
    """The panel as Grafana draws it."""
    return _KINDS[panel.kind](panel, board, grafana_sql(panel.sql, database))


def _stat(panel: Panel, board: str, sql: str) -> Drawing:
    shown = panel.fields
    several = len(shown) > 1
    options = {
        "graphMode": "none",
        "colorMode": "value",
        "justifyMode": "auto",
        "textMode": "value_and_name" if several else "value",
        "wideLayout": True,
        "showPercentChange": False,
        "percentChangeColorMode": "standard",
        "orientation": "vertical",
        "reduceOptions": {"values": False, "calcs": ["lastNotNull"], "fields": "/.*/"},
    }
    config = field_config(panel, board, shown, custom={})
    return Drawing("stat", _only(sql, list(panel.names), []), "table", shown, config, options)


def _timeseries(panel: Panel, board: str, sql: str) -> Drawing:
    named = labels(panel.fields)
    drawn = _of_one_unit(panel)
    shown = (panel.fields[0], *named, *drawn)
    extra: dict[str, list[Property]] = {}
    if named:
        series = " ".join(f"${{__field.labels.{field.name}}}" for field in named)
        for field in drawn:
            title = series if len(drawn) == 1 else f"{series}: {field.title}"
            extra[field.name] = [{"id": "displayName", "value": title}]
    custom = {
        "drawStyle": "bars" if panel.stacked else "line",
        "lineWidth": 1 if panel.stacked else 2,
        "fillOpacity": 80 if panel.stacked else 0,
        "showPoints": "never" if panel.stacked else "auto",
        "spanNulls": False,
        "axisLabel": "",
        "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "line" if panel.thresholds else "off"},
    }
    config = field_config(panel, board, shown, custom=custom, extra=extra)
    # Lines keep a colour each; a threshold is a line across.
    config["defaults"]["color"] = {"mode": "palette-classic"}
    for override in config["overrides"]:
        override["properties"] = [each for each in override["properties"] if each["id"] != "color"]
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    columns = [field.name for field in shown]
    order = [field.name for field in (panel.fields[0], *named)]
    return Drawing("timeseries", _only(sql, columns, order), "timeseries", shown, config, options)


def _bars(panel: Panel, board: str, sql: str) -> Drawing:
    named = labels(panel.fields)
    if len(named) != 1:
        return _table(panel, board, sql)
    drawn = _of_one_unit(panel)
    shown = (named[0], *drawn)
    options = {
        "xField": named[0].name,
        "orientation": "horizontal",
        "xTickLabelRotation": 0,
        "xTickLabelMaxLength": 0,
        "stacking": "none",
        "showValue": "auto",
        "barWidth": 0.9,
        "groupWidth": 0.8,
        "barRadius": 0,
        "fullHighlight": False,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": len(drawn) > 1, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    config = field_config(
        panel, board, shown, custom={"lineWidth": 1, "fillOpacity": 80, "axisPlacement": "auto"}
    )
    return Drawing("barchart", _only(sql, [f.name for f in shown], []), "table", shown, config, options)


def _table(panel: Panel, board: str, sql: str) -> Drawing:
    shown = panel.fields
    counted = measures(shown)
    extra: dict[str, list[Property]] = {}
    if panel.thresholds and counted:
        cell: dict[str, Any] = {"type": "color-text"}
        extra[counted[0].name] = [{"id": "custom.cellOptions", "value": cell}]
    elif panel.kind in (Kind.FLOW, Kind.BARS) and counted:
        cell = {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}
        extra[counted[0].name] = [{"id": "custom.cellOptions", "value": cell}]
    config = field_config(
        panel,
        board,
        shown,
        custom={"align": "auto", "inspect": False},
        extra=extra,
    )
    options = {"frameIndex": 0, "showHeader": True, "cellHeight": "sm"}
    return Drawing("table", _only(sql, list(panel.names), []), "table", shown, config, options)


def _heatmap(panel: Panel, board: str, sql: str) -> Drawing:
    time, bucket, count = panel.fields[0], panel.fields[1], panel.fields[2]
    # A bucket names its series, and series are ordered as text: a number that is padded is in order and still one.
    padded = (
        f"SELECT\n    {time.name},\n    leftPad(toString({bucket.name}), {_DIGITS}, ' ') AS {bucket.name},\n"
        f"    {count.name}\nFROM\n(\n{sql}\n)\nORDER BY {time.name}, {bucket.name}"
    )
    shown = (time, Field(bucket.name, bucket.title, Unit.TEXT), count)
    series: list[Property] = [{"id": "displayName", "value": f"${{__field.labels.{bucket.name}}}"}]
    config = field_config(panel, board, shown, custom={}, extra={count.name: series})
    options = {
        "calculate": False,
        "rowsFrame": {"layout": "le", "value": count.title},
        "color": {
            "mode": "scheme",
            "scheme": "Oranges",
            "fill": "dark-orange",
            "exponent": 0.5,
            "steps": 64,
            "reverse": False,
        },
        "cellGap": 1,
        "showValue": "never",
        "yAxis": {"axisPlacement": "left", "unit": UNITS[bucket.unit].id},
        "legend": {"show": True},
        "tooltip": {"mode": "single", "yHistogram": False, "showColorScale": False},
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
    }
    return Drawing("heatmap", padded, "timeseries", shown, config, options)


def _of_one_unit(panel: Panel) -> list[Field]:
    """The measures that have the unit of the first."""
    counted = measures(panel.fields)
    return [field for field in counted if field.unit is counted[0].unit]


def _only(sql: str, columns: list[str], order: list[str]) -> str:
    """The query with just these columns, which are what Grafana shows; by default its rows keep their order."""
    head = f"SELECT {', '.join(columns)}\nFROM\n(\n{sql}\n)"
    return f"{head}\nORDER BY {', '.join(order)}" if order else head


_KINDS: Final[dict[Kind, Callable[[Panel, str, str], Drawing]]] = {
    Kind.STAT: _stat,
    Kind.TIMESERIES: _timeseries,
    Kind.BARS: _bars,
    Kind.TABLE: _table,
    Kind.FLOW: _table,
    Kind.TIMELINE: _table,
    Kind.HEATMAP: _heatmap,
}

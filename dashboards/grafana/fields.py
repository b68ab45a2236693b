"""How a panel's columns are shown: units, titles, thresholds, links, as Grafana's field configuration."""

from collections.abc import Sequence
from typing import Final

from dashboards.grafana.links import data_links
from dashboards.grafana.model import FieldConfig, JsonObject, Override, Property, Thresholds, ThresholdStep
from dashboards.grafana.units import UNITS, title_of
from dashboards.panels.panel import Field, Kind, Level, Panel, Unit

_COLORS: Final[dict[Level, str]] = {"good": "green", "warning": "orange", "bad": "red"}
_NEUTRAL: Final = "text"
_NAMES: Final = frozenset({Unit.TEXT, Unit.TIME, Unit.DAY})
# A cell without a value says so in short; the sentence is for a panel that draws nothing at all.
_NO_VALUE: Final = "-"
_WHOLE_PANELS: Final = frozenset({Kind.TIMESERIES, Kind.HEATMAP, Kind.BARS})


def measures(fields: Sequence[Field]) -> list[Field]:
    """The columns that count something, not those that name or date it."""
    return [field for field in fields if field.unit not in _NAMES]


def labels(fields: Sequence[Field]) -> list[Field]:
    """The columns that name something."""
    return [field for field in fields if field.unit is Unit.TEXT]


def thresholds(panel: Panel) -> Thresholds:
    """Below the first threshold it is good where that is a warning, and says nothing otherwise."""
    ordered = sorted(panel.thresholds, key=lambda each: each.value)
    below = "green" if ordered and ordered[0].level != "good" else _NEUTRAL
    steps: list[ThresholdStep] = [{"value": None, "color": below}]
    steps += [{"value": each.value, "color": _COLORS[each.level]} for each in ordered]
    return {"mode": "absolute", "steps": steps}


def field_config(
    panel: Panel,
    board: str,
    shown: Sequence[Field],
    *,
    custom: JsonObject,
    extra: dict[str, list[Property]] | None = None,
) -> FieldConfig:
    """The configuration of the columns `shown`. extra: further properties by column."""
    by_threshold = bool(panel.thresholds)
    counted = measures(shown)
    config: FieldConfig = {
        "defaults": {
            "noValue": panel.empty if panel.kind in _WHOLE_PANELS else _NO_VALUE,
            "color": {"mode": "thresholds"}
            if by_threshold
            else {"mode": "fixed", "fixedColor": _NEUTRAL}
            if panel.kind is Kind.STAT
            else {"mode": "palette-classic"},
            "thresholds": thresholds(panel),
            "custom": custom,
        },
        "overrides": [_override(field, panel, board, (extra or {}).get(field.name, [])) for field in shown],
    }
    if counted:
        first = UNITS[counted[0].unit]
        config["defaults"]["unit"] = first.id
        if first.decimals is not None:
            config["defaults"]["decimals"] = first.decimals
    if by_threshold and counted:
        # Thresholds are in the unit of the first measure and say nothing of the others.
        for override, field in zip(config["overrides"], shown, strict=True):
            if field.name != counted[0].name:
                override["properties"].append(
                    {"id": "color", "value": {"mode": "fixed", "fixedColor": _NEUTRAL}}
                )
    return config


def _override(field: Field, panel: Panel, board: str, extra: Sequence[Property]) -> Override:
    unit = UNITS[field.unit]
    properties: list[Property] = [
        {"id": "displayName", "value": title_of(field)},
        {"id": "unit", "value": unit.id},
    ]
    if unit.decimals is not None:
        properties.append({"id": "decimals", "value": unit.decimals})
    if links := data_links(field, panel, board):
        properties.append({"id": "links", "value": links})
    replaced = {each["id"] for each in extra}
    return {
        "matcher": {"id": "byName", "options": field.name},
        "properties": [*(each for each in properties if each["id"] not in replaced), *extra],
    }

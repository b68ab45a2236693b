"""Dashboards: what holds of each, whatever panels there are."""

import itertools
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.grafana import files
from dashboards.grafana.check import chosen_nothing
from dashboards.grafana.dashboard import dashboard, panel_id
from dashboards.grafana.kinds import drawing
from dashboards.grafana.links import board_address, data_links
from dashboards.grafana.model import FOLDER_TITLE, FOLDER_UID, Dashboard
from dashboards.grafana.sql import ALLOWED_MACROS, NO_INCIDENT, grafana_sql, macros_of, variables_of
from dashboards.grafana.units import UNITS
from dashboards.panels.panel import Board, Field, Kind, Panel, Threshold, Unit
from dashboards.panels.registry import BoardPanels, boards
from dashboards.panels.variables import VARIABLES
from tests.grafana.macros import ALL, expand
from tests.grafana.schemas import Schemas

ROOT = Path(__file__).parents[2]
DASHBOARDS = [pytest.param(dashboard(each), each, id=each.board.name) for each in boards()]
# The macros of docs/sources/query-editor.md in grafana/clickhouse-datasource, and the one of template-variables.md.
DOCUMENTED_MACROS = {
    "$__dateFilter",
    "$__timeFilter",
    "$__timeFilter_ms",
    "$__dateTimeFilter",
    "$__dt",
    "$__timeFrom",
    "$__timeTo",
    "$__timeGroup",
    "$__fromTime",
    "$__toTime",
    "$__fromTime_ms",
    "$__toTime_ms",
    "$__interval_s",
    "$__timeInterval",
    "$__timeInterval_ms",
    "$__conditionalAll",
}
_VARIABLE_FORM = re.compile(r"\$\{\w+:(\w+)\}")


def queries(made: Dashboard) -> list[str]:
    """Every query of a dashboard: of panels, variables and annotations."""
    found = [target["rawSql"] for panel in made["panels"] for target in panel["targets"]]
    found += [
        each["query"]["rawSql"] for each in made["templating"]["list"] if isinstance(each["query"], dict)
    ]
    found += [each["target"]["rawSql"] for each in made["annotations"]["list"] if "target" in each]
    return found


def a_panel(kind: Kind, *fields: Field, **more: Any) -> Panel:
    sql = f"SELECT {', '.join(field.name for field in fields)} FROM @usage WHERE @in_period AND @chosen"
    return Panel("a-panel", "What?", "How it is read.", kind, sql, fields, 1, **more)


TIME, NAME = Field("time", "Time", Unit.TIME), Field("name", "Name", Unit.TEXT)
USD, CALLS = Field("usd", "Spend", Unit.USD), Field("all_calls", "Calls", Unit.CALLS)
EVERY_KIND = (
    a_panel(Kind.STAT, USD, CALLS, thresholds=(Threshold(10, "warning"), Threshold(20, "bad"))),
    a_panel(Kind.TIMESERIES, TIME, NAME, USD, CALLS, stacked=True),
    a_panel(Kind.TIMESERIES, TIME, USD, CALLS, thresholds=(Threshold(1, "good"),)),
    a_panel(Kind.BARS, NAME, USD, CALLS),
    a_panel(Kind.BARS, NAME, Field("other", "Other", Unit.TEXT), USD),
    a_panel(Kind.TABLE, Field("team", "Team", Unit.TEXT, "team"), USD, drill_down="fleet"),
    a_panel(Kind.TABLE, Field("incident", "Incident", Unit.TEXT, "incident"), USD),
    a_panel(Kind.FLOW, NAME, Field("target", "To", Unit.TEXT), CALLS),
    a_panel(
        Kind.TIMELINE, TIME, Field("until", "Until", Unit.TIME), NAME, Field("state", "State", Unit.TEXT)
    ),
    a_panel(Kind.HEATMAP, TIME, Field("bucket", "Up to", Unit.MILLISECONDS), CALLS),
)


def test_the_committed_files_are_what_the_panels_give() -> None:
    folder = ROOT / files.FOLDER
    wrong = [
        path
        for path, text in files.files().items()
        if not (folder / path).exists() or (folder / path).read_text(encoding="utf-8") != text
    ] + files.strays(folder)
    assert wrong == [], f"write them anew: .venv/bin/{files.COMMAND}"


def test_writing_twice_changes_nothing(tmp_path: Path) -> None:
    stray = tmp_path / "dashboards" / "tokenweir-gone.json"
    stray.parent.mkdir()
    stray.write_text("{}")
    assert set(files.write(tmp_path)) == set(files.files()) | {"dashboards/tokenweir-gone.json"}
    assert not stray.exists()
    assert files.write(tmp_path) == []


@pytest.mark.parametrize(("made", "each"), DASHBOARDS)
def test_each_panel_is_there_with_its_question(made: Dashboard, each: BoardPanels) -> None:
    assert made["uid"] == f"tokenweir-{each.board.name}"
    assert len(made["uid"]) <= 40
    assert [(panel["title"], panel["description"]) for panel in made["panels"]] == [
        (panel.title, panel.description) for panel in each.panels
    ]
    assert [panel["id"] for panel in made["panels"]] == [panel_id(panel.name) for panel in each.panels]
    for drawn, panel in zip(made["panels"], each.panels, strict=True):
        measured = [field for field in panel.fields if field.unit not in (Unit.TEXT, Unit.TIME, Unit.DAY)]
        if measured:
            # In a heat map a cell is a count, and the bucket is the axis.
            counted = measured[-1] if panel.kind is Kind.HEATMAP else measured[0]
            assert drawn["fieldConfig"]["defaults"]["unit"] == UNITS[counted.unit].id


@pytest.mark.parametrize(("made", "each"), DASHBOARDS)
def test_panels_lie_side_by_side(made: Dashboard, each: BoardPanels) -> None:
    for one, other in itertools.combinations([panel["gridPos"] for panel in made["panels"]], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in made["panels"])


@pytest.mark.parametrize(("made", "each"), DASHBOARDS)
def test_only_documented_macros_and_forms_of_variables_are_used(made: Dashboard, each: BoardPanels) -> None:
    assert ALLOWED_MACROS <= DOCUMENTED_MACROS
    names = {variable["name"] for variable in made["templating"]["list"]}
    for sql in queries(made):
        assert "@" not in sql
        assert macros_of(sql) <= ALLOWED_MACROS
        assert variables_of(sql) <= names
        assert set(_VARIABLE_FORM.findall(sql)) <= {"singlequote", "raw"}


@pytest.mark.parametrize(("made", "each"), DASHBOARDS)
def test_what_is_put_into_the_sql_as_it_is_has_a_fixed_list(made: Dashboard, each: BoardPanels) -> None:
    variables = {variable["name"]: variable for variable in made["templating"]["list"]}
    raw = {name for sql in queries(made) for name in re.findall(r"\$\{(\w+):raw\}", sql)}
    assert raw <= {"by", "then_by", "resolution"}
    for name in raw:
        assert not variables[name]["multi"]
        assert not variables[name]["allowCustomValue"]


@pytest.mark.parametrize(("made", "each"), DASHBOARDS)
def test_variables_cascade_without_a_circle(made: Dashboard, each: BoardPanels) -> None:
    before: set[str] = set()
    for variable in made["templating"]["list"]:
        if isinstance(variable["query"], dict):
            assert variables_of(variable["query"]["rawSql"]) <= before
        before.add(variable["name"])
    assert list(VARIABLES) == [v["name"] for v in made["templating"]["list"] if v["includeAll"]]
    team = next(v for v in made["templating"]["list"] if v["name"] == "team")
    assert isinstance(team["query"], dict)
    assert variables_of(team["query"]["rawSql"]) == {"tenant"}


def test_a_click_replaces_the_choice_of_its_variable_and_carries_the_others() -> None:
    field = Field("team", "Team", Unit.TEXT, "team")
    (link,) = data_links(field, a_panel(Kind.TABLE, field, USD, drill_down="spend"), "fleet")
    address, _, query = link["url"].partition("?")
    assert address == "/d/tokenweir-spend"
    assert query.split("&") == [
        "${__url_time_range}",
        *(f"${{{name}:queryparam}}" for name in (*VARIABLES, "by", "then_by", "incident") if name != "team"),
        "var-team=${__value.raw:percentencode}",
    ]
    assert not data_links(Field("name", "Name", Unit.TEXT, "@by"), a_panel(Kind.TABLE, field, USD), "fleet")


@pytest.mark.parametrize(("made", "each"), DASHBOARDS)
def test_links_lead_to_boards_and_carry_variables_that_exist(made: Dashboard, each: BoardPanels) -> None:
    known = {f"/d/tokenweir-{other.board.name}" for other in boards()}
    names = {variable["name"] for variable in made["templating"]["list"]}
    addresses = re.findall(r'"(/d/[^"]+)"', json.dumps(made))
    for address in addresses:
        assert address.partition("?")[0] in known
        assert set(re.findall(r"\$\{(\w+):queryparam\}", address)) <= names
    assert board_address("fleet").startswith("/d/tokenweir-fleet?${__url_time_range}&${tenant:queryparam}&")


@pytest.mark.parametrize("panel", EVERY_KIND, ids=lambda panel: panel.kind.value)
def test_every_kind_is_drawn(panel: Panel) -> None:
    drawn = drawing(panel, "fleet", "tokenweir")
    expected = {
        Kind.STAT: "stat",
        Kind.TIMESERIES: "timeseries",
        Kind.BARS: "barchart" if len([f for f in panel.fields if f.unit is Unit.TEXT]) == 1 else "table",
        Kind.HEATMAP: "heatmap",
    }
    assert drawn.type == expected.get(panel.kind, "table")
    assert drawn.shape == ("timeseries" if panel.kind in (Kind.TIMESERIES, Kind.HEATMAP) else "table")
    assert [each["matcher"]["options"] for each in drawn.config["overrides"]] == [
        f.name for f in drawn.fields
    ]


def test_a_chart_has_the_measures_of_one_unit() -> None:
    stacked = drawing(EVERY_KIND[1], "fleet", "tokenweir")
    assert stacked.sql.startswith("SELECT time, name, usd\nFROM\n(")
    assert stacked.sql.endswith("ORDER BY time, name")
    assert stacked.config["defaults"]["custom"]["stacking"]["mode"] == "normal"
    names = {each["id"]: each["value"] for each in stacked.config["overrides"][2]["properties"]}
    assert names["displayName"] == "${__field.labels.name}"


def test_thresholds_are_steps_of_the_first_measure() -> None:
    config = drawing(EVERY_KIND[0], "fleet", "tokenweir").config
    assert config["defaults"]["thresholds"]["steps"] == [
        {"value": None, "color": "green"},
        {"value": 10, "color": "orange"},
        {"value": 20, "color": "red"},
    ]
    colors = [any(p["id"] == "color" for p in each["properties"]) for each in config["overrides"]]
    assert colors == [False, True]


def test_two_panels_with_one_number_are_refused() -> None:
    board = Board("one", "One", "One.", 1)
    with pytest.raises(ValueError, match="the same number"):
        dashboard(BoardPanels(board, (EVERY_KIND[3], EVERY_KIND[5])))


def test_every_unit_has_one_of_grafanas() -> None:
    assert set(UNITS) == set(Unit)


def test_slots_become_what_the_data_source_fills_in() -> None:
    assert grafana_sql("@usage @at @in_period", "weir") == (
        "weir.usage_by_${resolution:raw} ${resolution:raw} "
        "(${resolution:raw} >= $__fromTime AND ${resolution:raw} < $__toTime)"
    )


@pytest.mark.parametrize(("made", "each"), DASHBOARDS)
def test_a_check_asks_what_a_reader_asks_who_has_chosen_nothing(made: Dashboard, each: BoardPanels) -> None:
    now = datetime(2026, 11, 26, tzinfo=UTC)
    values = {**dict.fromkeys(VARIABLES, ALL), "by": "team", "then_by": "model"}
    values |= {"incident": NO_INCIDENT, "resolution": "hour"}
    for panel in made["panels"]:
        sql = panel["targets"][0]["rawSql"]
        asked, read = (
            expand(text, since=now, until=now, interval_seconds=60, values=values, now=now)
            for text in (chosen_nothing(sql), sql)
        )
        assert asked == read


def test_the_provider_names_the_folder_of_the_code() -> None:
    provider = yaml.safe_load((ROOT / "deploy/grafana/provisioning/dashboards/tokenweir.yml").read_text())
    (only,) = provider["providers"]
    assert (only["folder"], only["folderUid"]) == (FOLDER_TITLE, FOLDER_UID)
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    volumes = compose["services"]["grafana"]["volumes"]
    assert f"./deploy/grafana/dashboards:{only['options']['path']}:ro" in volumes
    assert "./deploy/grafana/provisioning:/etc/grafana/provisioning:ro" in volumes


@pytest.mark.shared_data
def test_dashboards_fit_the_published_schemas(shared_data: Path) -> None:
    schemas = Schemas(shared_data / "grafana")
    for each in boards():
        made = dashboard(each)
        schemas.check_dashboard(made)
        for panel in made["panels"]:
            schemas.check_panel(panel)


@pytest.mark.shared_data
@pytest.mark.parametrize("panel", EVERY_KIND, ids=lambda panel: panel.kind.value)
def test_every_kind_fits_the_published_schemas(panel: Panel, shared_data: Path) -> None:
    schemas = Schemas(shared_data / "grafana")
    made = dashboard(BoardPanels(Board("one", "One", "One.", 1), (panel,)))
    schemas.check_dashboard(made)
    schemas.check_panel(made["panels"][0])

"""Where a click leads in Grafana: the board with what was clicked chosen, everything else carried along.

A link names each variable with its documented form `${name:queryparam}` and not `$__all_variables`, since that would
choose the clicked value beside what was chosen before, and not in place of it. For the same reason a column of groups
(`@by`) is no link: which variable it would replace is only known when the page is looked at.
"""

from dashboards.grafana.model import Link, link_to
from dashboards.panels.panel import Field, Panel
from dashboards.panels.variables import GROUPED_BY, INCIDENT, VARIABLES

_CARRIED = (*VARIABLES, "by", "then_by", INCIDENT)


def dashboard_uid(board: str) -> str:
    """The fixed uid of a board's dashboard."""
    return f"tokenweir-{board}"


def board_address(board: str, *, without: str = "") -> str:
    """A board's address with the period and what is chosen of each variable but one."""
    carried = [f"${{{name}:queryparam}}" for name in _CARRIED if name != without]
    return f"/d/{dashboard_uid(board)}?" + "&".join(["${__url_time_range}", *carried])


def data_links(field: Field, panel: Panel, board: str) -> list[dict[str, str]]:
    """What a click on a value of the field does; none where the field chooses nothing."""
    if not field.variable or field.variable in GROUPED_BY:
        return []
    address = board_address(panel.drill_down or board, without=field.variable)
    return [
        {
            "title": f"Only this {VARIABLES.get(field.variable, 'incident').lower()}",
            "url": f"{address}&var-{field.variable}=${{__value.raw:percentencode}}",
        }
    ]


def panel_links(panel: Panel, board: str) -> list[Link]:
    """Where a panel as a whole leads on; none where the reader stays."""
    if not panel.drill_down or panel.drill_down == board:
        return []
    return [link_to("Look closer", board_address(panel.drill_down))]

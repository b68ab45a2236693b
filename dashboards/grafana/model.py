"""The parts of Grafana's dashboard model that are used here, as types over plain JSON.

Names and values are those of Grafana's published schemas (schema version 42); what a schema requires is required here.
A checker of types so refuses a misspelt field, and `json.dumps` writes the result as it stands.
"""

from typing import Any, Final, Literal, NotRequired, TypedDict

SCHEMA_VERSION: Final = 42
"""Of the dashboard model, as Grafana 12 writes it."""
GRAFANA_VERSION: Final = "12.4.4"
"""Of docker-compose.yml; stands in each panel as the version that its options are for."""
CLICKHOUSE_PLUGIN: Final = "grafana-clickhouse-datasource"
CLICKHOUSE_PLUGIN_VERSION: Final = "4.21.3"
DATA_SOURCE_UID: Final = "tokenweir-clickhouse"
FOLDER_UID: Final = "tokenweir"
FOLDER_TITLE: Final = "Tokenweir"
TAG: Final = "tokenweir"

JsonObject = dict[str, Any]


class DataSourceReference(TypedDict):
    """Which data source answers."""

    type: str
    uid: str


class GridPosition(TypedDict):
    """Of a panel, in columns of 24 and rows of 30 pixels."""

    h: int
    w: int
    x: int
    y: int


class Target(TypedDict):
    """A query as the ClickHouse data source keeps it. format: 0 for time series, 1 for tables."""

    refId: str
    datasource: DataSourceReference
    editorType: Literal["sql"]
    rawSql: str
    queryType: Literal["timeseries", "table"]
    format: Literal[0, 1]
    pluginVersion: str


class Link(TypedDict):
    """A link of a dashboard or a panel. type: `link` to an address, `dashboards` to all that have the tags."""

    title: str
    type: Literal["link", "dashboards"]
    icon: str
    tooltip: str
    url: NotRequired[str]
    tags: list[str]
    asDropdown: bool
    targetBlank: bool
    includeVars: bool
    keepTime: bool


class ThresholdStep(TypedDict):
    """From `value` on; null is from below."""

    value: float | None
    color: str


class Thresholds(TypedDict):
    """Steps, the lowest first."""

    mode: Literal["absolute"]
    steps: list[ThresholdStep]


class FieldColor(TypedDict):
    """How a field gets its colour."""

    mode: Literal["thresholds", "palette-classic", "fixed"]
    fixedColor: NotRequired[str]


class FieldDefaults(TypedDict):
    """What holds of each field for which no override says otherwise."""

    unit: NotRequired[str]
    decimals: NotRequired[int]
    noValue: NotRequired[str]
    color: FieldColor
    thresholds: Thresholds
    custom: JsonObject


class Matcher(TypedDict):
    """Which fields an override is for."""

    id: Literal["byName"]
    options: str


class Property(TypedDict):
    """One thing that an override says."""

    id: str
    value: Any


class Override(TypedDict):
    """What holds of some fields."""

    matcher: Matcher
    properties: list[Property]


class FieldConfig(TypedDict):
    """How the fields of a panel are shown."""

    defaults: FieldDefaults
    overrides: list[Override]


class GrafanaPanel(TypedDict):
    """A panel of a dashboard."""

    id: int
    type: str
    title: str
    description: str
    pluginVersion: str
    gridPos: GridPosition
    datasource: DataSourceReference
    targets: list[Target]
    fieldConfig: FieldConfig
    options: JsonObject
    links: NotRequired[list[Link]]
    maxDataPoints: NotRequired[int]


class Option(TypedDict):
    """A choice of a variable."""

    selected: NotRequired[bool]
    text: str | list[str]
    value: str | list[str]


class VariableQuery(TypedDict):
    """What a query variable asks, as the ClickHouse data source keeps it."""

    editorType: Literal["sql"]
    rawSql: str


class Variable(TypedDict):
    """A template variable. hide: 0 shows it, 2 does not. refresh: 2 asks again when the period changes."""

    type: Literal["query", "custom"]
    name: str
    label: str
    hide: Literal[0, 2]
    skipUrlSync: bool
    query: str | VariableQuery
    definition: NotRequired[str]
    datasource: NotRequired[DataSourceReference]
    current: NotRequired[Option]
    options: list[Option]
    multi: bool
    includeAll: bool
    allowCustomValue: bool
    refresh: NotRequired[Literal[1, 2]]
    sort: NotRequired[int]


class AnnotationQuery(TypedDict):
    """Marks on every panel over time."""

    name: str
    datasource: DataSourceReference
    enable: bool
    hide: bool
    iconColor: str
    type: NotRequired[str]
    builtIn: NotRequired[int]
    target: NotRequired[JsonObject]


class AnnotationList(TypedDict):
    """The annotations of a dashboard."""

    list: list[AnnotationQuery]


class VariableList(TypedDict):
    """The variables of a dashboard."""

    list: list[Variable]


class Dashboard(TypedDict):
    """A dashboard. id is null: it belongs to one Grafana, the uid to all."""

    id: None
    uid: str
    title: str
    description: str
    tags: list[str]
    timezone: Literal["utc"]
    weekStart: Literal["monday"]
    editable: bool
    graphTooltip: Literal[0, 1, 2]
    time: dict[Literal["from", "to"], str]
    refresh: str
    schemaVersion: int
    version: int
    panels: list[GrafanaPanel]
    templating: VariableList
    annotations: AnnotationList
    links: list[Link]


def data_source() -> DataSourceReference:
    """The ledger."""
    return {"type": CLICKHOUSE_PLUGIN, "uid": DATA_SOURCE_UID}


def link_to(title: str, url: str, *, tooltip: str = "") -> Link:
    """A link to an address, every field of the schema set."""
    return {
        "title": title,
        "type": "link",
        "icon": "external link",
        "tooltip": tooltip,
        "url": url,
        "tags": [],
        "asDropdown": False,
        "targetBlank": False,
        "includeVars": False,
        "keepTime": False,
    }

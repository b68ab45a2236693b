"""Alert rules, their contact point and message templates as Grafana's JSON: of its API, and of its provisioning files.

Each rule names its contact point itself, with how often it is repeated. So nothing is changed in the organisation's
tree of notification policies, which is one and belongs to whoever runs the Grafana.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

from dashboards.alerts.registry import rules
from dashboards.alerts.rule import AlertRule, Group
from dashboards.grafana.dashboard import DATABASE, panel_id
from dashboards.grafana.links import dashboard_uid
from dashboards.grafana.model import (
    CLICKHOUSE_PLUGIN_VERSION,
    DATA_SOURCE_UID,
    TAG,
    JsonObject,
    data_source,
)
from dashboards.panels.registry import boards
from dashboards.panels.template import fill

ALERT_FOLDER_UID: Final = "tokenweir-alerts"
ALERT_FOLDER_TITLE: Final = "Tokenweir alerts"
CONTACT_POINT_NAME: Final = "Tokenweir"
CONTACT_POINT_UID: Final = "tokenweir"
TEMPLATE_NAME: Final = "tokenweir"
RUNBOOKS: Final = "docs/runbooks/"
"""Before a runbook's file name, where no address is set: where it lies in the repository."""

ADDRESSES_VARIABLE: Final = "$ALERT_ADDRESSES"
"""In provisioning files Grafana fills it in from its environment."""

TEMPLATE: Final = """\
{{ define "tokenweir.title" -}}
{{ if eq .Status "firing" }}{{ len .Alerts.Firing }} open{{ else }}over{{ end }}: {{ .CommonLabels.alertname }}
{{- with .CommonLabels.severity }} ({{ . }}){{ end }}
{{- end }}

{{ define "tokenweir.message" -}}
{{ range .Alerts }}
{{ .Status }}: {{ .Annotations.summary }}
{{ .Annotations.description }}
Since {{ .StartsAt }}. Runbook: {{ .Annotations.runbook_url }}
{{ with .DashboardURL }}Board: {{ . }}{{ end }}
{{ end }}
{{- end }}
"""

# What Grafana adds where it is not said.
_ASKED: Final = {"intervalMs": 1000, "maxDataPoints": 43200}
_REPEAT: Final = {"critical": "4h", "warning": "1d"}
_WAIT: Final = {"critical": "0s", "warning": "1m"}


def rule_uid(rule: AlertRule) -> str:
    """The fixed uid of a rule."""
    return f"tokenweir-{rule.name}"


def rule_groups() -> list[tuple[Group, list[AlertRule]]]:
    """The groups in the order of their names, each with its rules."""
    return [(group, list(found)) for group, found in groupby(rules(), key=lambda rule: rule.group)]


def api_rule_group(
    group: Group,
    found: Sequence[AlertRule],
    *,
    database: str = DATABASE,
    runbooks: str = RUNBOOKS,
    routed: bool = True,
) -> JsonObject:
    """A group as `PUT /api/v1/provisioning/folder/…/rule-groups/…` takes it. routed: whether its rules name our contact
    point; without, the organisation's policies say who is told."""
    return {
        "title": group.name,
        "folderUid": ALERT_FOLDER_UID,
        "interval": group.interval_seconds,
        "rules": [api_rule(rule, database=database, runbooks=runbooks, routed=routed) for rule in found],
    }


def api_rule(
    rule: AlertRule, *, database: str = DATABASE, runbooks: str = RUNBOOKS, routed: bool = True
) -> JsonObject:
    """A rule as the alerting API has it."""
    annotations = _annotations(rule, runbooks)
    if link := _panel_link(rule):
        annotations |= {"__dashboardUid__": link[0], "__panelId__": str(link[1])}
    return {
        "uid": rule_uid(rule),
        "orgID": 1,
        "folderUID": ALERT_FOLDER_UID,
        "ruleGroup": rule.group.name,
        **_common(rule, database, routed=routed),
        "annotations": annotations,
    }


def file_rule(rule: AlertRule) -> JsonObject:
    """A rule as a provisioning file has it."""
    link = _panel_link(rule)
    return {
        "uid": rule_uid(rule),
        **_common(rule, DATABASE, routed=True),
        "annotations": _annotations(rule, RUNBOOKS),
        **({"dashboardUid": link[0], "panelId": link[1]} if link else {}),
    }


def contact_point(addresses: str) -> JsonObject:
    """The contact point as the API has it. addresses: e-mail addresses with semicolons between them."""
    return {
        "uid": CONTACT_POINT_UID,
        "name": CONTACT_POINT_NAME,
        "type": "email",
        "disableResolveMessage": False,
        "settings": {
            "addresses": addresses,
            "singleEmail": False,
            "subject": '{{ template "tokenweir.title" . }}',
            "message": '{{ template "tokenweir.message" . }}',
        },
    }


def rules_file() -> JsonObject:
    """Provisioning: the rule groups."""
    return {
        "apiVersion": 1,
        "groups": [
            {
                "orgId": 1,
                "name": group.name,
                "folder": ALERT_FOLDER_TITLE,
                "interval": f"{group.interval_seconds}s",
                "rules": [file_rule(rule) for rule in found],
            }
            for group, found in rule_groups()
        ],
    }


def contact_points_file() -> JsonObject:
    """Provisioning: the contact point, its addresses from Grafana's environment."""
    point = contact_point(ADDRESSES_VARIABLE)
    receiver = {name: point[name] for name in ("uid", "type", "disableResolveMessage", "settings")}
    return {
        "apiVersion": 1,
        "contactPoints": [{"orgId": 1, "name": point["name"], "receivers": [receiver]}],
    }


def templates_file() -> JsonObject:
    """Provisioning: the message templates."""
    return {
        "apiVersion": 1,
        "templates": [{"orgId": 1, "name": TEMPLATE_NAME, "template": TEMPLATE}],
    }


def _common(rule: AlertRule, database: str, *, routed: bool) -> JsonObject:
    common: JsonObject = {
        "title": rule.title,
        "condition": "C",
        "data": _queries(rule, database),
        "noDataState": rule.no_data,
        "execErrState": rule.error,
        "for": _duration(rule.pending_seconds),
        "isPaused": False,
        "labels": {"severity": rule.severity, "product": TAG},
    }
    if routed:
        common["notification_settings"] = {
            "receiver": CONTACT_POINT_NAME,
            "group_by": ["grafana_folder", "alertname"],
            "group_wait": _WAIT[rule.severity],
            "group_interval": "5m",
            "repeat_interval": _REPEAT[rule.severity],
        }
    return common


def _duration(seconds: int) -> str:
    """As Prometheus writes it, which is how Grafana answers."""
    return f"{seconds // 60}m" if seconds and seconds % 60 == 0 else f"{seconds}s"


def _queries(rule: AlertRule, database: str) -> list[JsonObject]:
    """A: what the ledger answers. B: its last value, which of a row is the row's. C: whether it is above."""
    ledger: JsonObject = {
        "refId": "A",
        "datasource": data_source(),
        "editorType": "sql",
        "rawSql": fill(rule.sql, {"ledger": database}).strip(),
        "queryType": "table",
        "format": 1,
        "pluginVersion": CLICKHOUSE_PLUGIN_VERSION,
        **_ASKED,
    }
    expression = {"datasource": {"type": "__expr__", "uid": "__expr__"}, **_ASKED}
    last = {"refId": "B", **expression, "type": "reduce", "reducer": "last", "expression": "A"}
    above = {
        "refId": "C",
        **expression,
        "type": "threshold",
        "expression": "B",
        "conditions": [{"evaluator": {"type": "gt", "params": [rule.above]}}],
    }
    return [
        _query("A", DATA_SOURCE_UID, ledger),
        _query("B", "__expr__", last),
        _query("C", "__expr__", above),
    ]


def _query(ref_id: str, source: str, model: JsonObject) -> JsonObject:
    return {
        "refId": ref_id,
        "queryType": "",
        # The rules' SQL says itself which stretch of time it reads.
        "relativeTimeRange": {"from": 600, "to": 0},
        "datasourceUid": source,
        "model": model,
    }


def _annotations(rule: AlertRule, runbooks: str) -> dict[str, Any]:
    return {
        "summary": rule.summary,
        "description": rule.description,
        "runbook_url": f"{runbooks}{rule.runbook}",
    }


def _panel_link(rule: AlertRule) -> tuple[str, int] | None:
    """The dashboard and the panel that the rule links, where there is such a board."""
    for each in boards():
        if each.board.name == rule.board:
            name = each.panel(rule.panel).name if rule.panel else each.panels[0].name
            return dashboard_uid(rule.board), panel_id(name)
    return None

"""The things in a Grafana that are ours: how each is read, whether it may be overwritten, and how it is written.

A dashboard that somebody saved after the last push shows it in its newest version, whose message is not a push's. What
belongs to alerting is locked in Grafana's pages while it was made by the API (its provenance), so nobody edits it there
unless it was unlocked or made by hand; then it is somebody's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol
from urllib.parse import unquote, urlsplit

from dashboards.alerts.rule import AlertRule, Group
from dashboards.grafana import alerting
from dashboards.grafana.client import Grafana
from dashboards.grafana.model import (
    CLICKHOUSE_PLUGIN,
    DATA_SOURCE_UID,
    FOLDER_TITLE,
    FOLDER_UID,
    JsonObject,
)
from tokenweir.errors import WrongCall

MESSAGE: Final = "weir grafana push"
"""Of each version of a dashboard that is pushed."""
FROM_FILES: Final = "it comes from files that Grafana reads at its start, and is changed there"


class Resource(Protocol):
    """One thing. Every method may raise one of `dashboards.grafana.failures`."""

    kind: ClassVar[str]

    @property
    def name(self) -> str:
        """What it is called, for a person and for a file."""

    def wanted(self) -> JsonObject:
        """What it should be."""

    def read(self, grafana: Grafana) -> JsonObject | None:
        """What is there, in the form of `wanted`; None for nothing."""

    def somebodys(self, grafana: Grafana) -> str:
        """Why it is not ours to overwrite, as a sentence without an end; empty where it is."""

    def write(self, grafana: Grafana, *, force: bool) -> None:
        """Makes it what it should be. Reads first what it needs."""


@dataclass(frozen=True)
class DataSource:
    """The ledger, as Grafana reaches it. Its password cannot be read back, so it is sent with each change alone."""

    kind: ClassVar[str] = "data source"
    dsn: str
    database: str

    @property
    def name(self) -> str:
        return "Tokenweir"

    def wanted(self) -> JsonObject:
        """Raises WrongCall for a DSN that names no host."""
        parts = urlsplit(self.dsn)
        if parts.scheme not in ("clickhouse", "clickhouses") or not parts.hostname:
            raise WrongCall(
                "grafana.reader_dsn is no address of a ClickHouse",
                hint="Write it as clickhouse://reader:password@host:8123",
            )
        secure = parts.scheme == "clickhouses"
        return {
            "uid": DATA_SOURCE_UID,
            "name": self.name,
            "type": CLICKHOUSE_PLUGIN,
            "access": "proxy",
            "jsonData": {
                "host": parts.hostname,
                "port": parts.port or (8443 if secure else 8123),
                "protocol": "http",
                "secure": secure,
                "username": unquote(parts.username or ""),
                "defaultDatabase": self.database,
            },
        }

    def read(self, grafana: Grafana) -> JsonObject | None:
        return _object(
            grafana.ask(grafana.api.datasource.get_datasource_by_uid, "the data source", DATA_SOURCE_UID)
        )

    def somebodys(self, grafana: Grafana) -> str:
        there = self.read(grafana) or {}
        return FROM_FILES if there.get("readOnly") else ""

    def write(self, grafana: Grafana, *, force: bool) -> None:
        password = unquote(urlsplit(self.dsn).password or "")
        document = {**self.wanted(), "secureJsonData": {"password": password}}
        if self.read(grafana) is None:
            grafana.ask(grafana.api.datasource.create_datasource, "the data source", document)
        else:
            grafana.ask(
                grafana.api.datasource.update_datasource_by_uid, "the data source", DATA_SOURCE_UID, document
            )


@dataclass(frozen=True)
class Folder:
    """A folder, by its uid, else by its title: Grafana gives one that files ask for a uid of its own."""

    kind: ClassVar[str] = "folder"
    uid: str
    title: str

    @property
    def name(self) -> str:
        return self.title

    def wanted(self) -> JsonObject:
        """That it is there; its title may be changed by whoever likes another."""
        return {}

    def read(self, grafana: Grafana) -> JsonObject | None:
        uid = self.found(grafana)
        return None if uid is None else {"uid": uid, "title": self.title}

    def somebodys(self, grafana: Grafana) -> str:
        return ""

    def write(self, grafana: Grafana, *, force: bool) -> None:
        grafana.ask(
            grafana.api.folder.create_folder, f"the folder {self.title}", title=self.title, uid=self.uid
        )

    def found(self, grafana: Grafana) -> str | None:
        """The uid that it has there; None where it is not."""
        if grafana.ask(grafana.api.folder.get_folder, f"the folder {self.title}", self.uid) is not None:
            return self.uid
        folders = grafana.ask(grafana.api.folder.get_all_folders, "the folders") or []
        return next((str(folder["uid"]) for folder in folders if folder["title"] == self.title), None)


DASHBOARDS: Final = Folder(FOLDER_UID, FOLDER_TITLE)
ALERTS: Final = Folder(alerting.ALERT_FOLDER_UID, alerting.ALERT_FOLDER_TITLE)


@dataclass(frozen=True)
class Board:
    """A dashboard."""

    kind: ClassVar[str] = "dashboard"
    model: JsonObject

    @property
    def name(self) -> str:
        return str(self.model["uid"])

    def wanted(self) -> JsonObject:
        return {key: part for key, part in self.model.items() if key not in ("id", "version")}

    def read(self, grafana: Grafana) -> JsonObject | None:
        there = self._read(grafana)
        return None if there is None else dict(there["dashboard"])

    def somebodys(self, grafana: Grafana) -> str:
        there = self._read(grafana)
        if there is None:
            return ""
        if there.get("meta", {}).get("provisioned"):
            return FROM_FILES
        answer = grafana.ask(
            grafana.api.dashboard_versions.get_dashboard_versions_by_uid,
            f"versions of {self.name}",
            self.name,
        )
        versions = answer.get("versions", []) if isinstance(answer, dict) else answer or []
        newest = max(versions, key=lambda version: int(version["version"]), default=None)
        if newest is None or str(newest.get("message", "")).startswith(MESSAGE):
            return ""
        return f"version {newest['version']} was saved by {newest.get('createdBy') or 'somebody'}"

    def write(self, grafana: Grafana, *, force: bool) -> None:
        there = (self._read(grafana) or {}).get("dashboard", {})
        body = {
            # With the version that is replaced Grafana refuses where another was saved meanwhile.
            "dashboard": {**self.model, "id": there.get("id"), "version": there.get("version", 0)},
            "folderUid": DASHBOARDS.found(grafana) or DASHBOARDS.uid,
            "message": MESSAGE,
            "overwrite": force,
        }
        grafana.ask(grafana.api.dashboard.update_dashboard, f"the dashboard {self.name}", body)

    def _read(self, grafana: Grafana) -> Any:
        return grafana.ask(grafana.api.dashboard.get_dashboard, f"the dashboard {self.name}", self.name)


@dataclass(frozen=True)
class MessageTemplate:
    """What an alert's message says."""

    kind: ClassVar[str] = "message template"

    @property
    def name(self) -> str:
        return alerting.TEMPLATE_NAME

    def wanted(self) -> JsonObject:
        return {"template": alerting.TEMPLATE.strip()}

    def read(self, grafana: Grafana) -> JsonObject | None:
        there = self._read(grafana)
        return None if there is None else {**there, "template": str(there["template"]).strip()}

    def somebodys(self, grafana: Grafana) -> str:
        return _by_hand([self._read(grafana)])

    def write(self, grafana: Grafana, *, force: bool) -> None:
        there = self._read(grafana) or {}
        grafana.ask(
            grafana.api.alertingprovisioning.create_or_update_template,
            "the message template",
            self.name,
            {**self.wanted(), "version": there.get("version", "")},
        )

    def _read(self, grafana: Grafana) -> JsonObject | None:
        call = grafana.api.alertingprovisioning.get_template
        return _object(grafana.ask(call, "the message template", self.name))


@dataclass(frozen=True)
class ContactPoint:
    """Who is told of alerts."""

    kind: ClassVar[str] = "contact point"
    addresses: str

    @property
    def name(self) -> str:
        return alerting.CONTACT_POINT_NAME

    def wanted(self) -> JsonObject:
        return alerting.contact_point(self.addresses)

    def read(self, grafana: Grafana) -> JsonObject | None:
        call = grafana.api.alertingprovisioning.get_contactpoints
        found = grafana.ask(call, "the contact points", self.name) or []
        return next((point for point in found if point.get("uid") == alerting.CONTACT_POINT_UID), None)

    def somebodys(self, grafana: Grafana) -> str:
        return _by_hand([self.read(grafana)])

    def write(self, grafana: Grafana, *, force: bool) -> None:
        api = grafana.api.alertingprovisioning
        if self.read(grafana) is None:
            grafana.ask(api.create_contactpoint, "the contact point", self.wanted())
        else:
            uid = alerting.CONTACT_POINT_UID
            grafana.ask(api.update_contactpoint, "the contact point", uid, self.wanted())


@dataclass(frozen=True)
class RuleGroup:
    """A group of alert rules. Each rule is read by its uid, so it is found in whatever folder files have put it."""

    kind: ClassVar[str] = "alert rules"
    group: Group
    rules: tuple[AlertRule, ...]
    database: str
    runbooks: str
    routed: bool

    @property
    def name(self) -> str:
        return self.group.name

    def wanted(self) -> JsonObject:
        rules = self._document()["rules"]
        return {"rules": {rule["uid"]: _without_place(rule) for rule in rules}}

    def read(self, grafana: Grafana) -> JsonObject | None:
        found = {rule["uid"]: _without_place(rule) for rule in self._read(grafana)}
        return {"rules": found} if found else None

    def somebodys(self, grafana: Grafana) -> str:
        if why := _by_hand(self._read(grafana)):
            return why
        ours = {alerting.rule_uid(rule) for rule in self.rules}
        call = grafana.api.alertingprovisioning.get_rule_group
        folder = ALERTS.found(grafana) or ALERTS.uid
        there = grafana.ask(call, f"the rules {self.name}", folder, self.name) or {}
        others = [rule["title"] for rule in there.get("rules", []) if rule.get("uid") not in ours]
        return f"the group also holds {', '.join(map(repr, others))}, which would be gone" if others else ""

    def write(self, grafana: Grafana, *, force: bool) -> None:
        call = grafana.api.alertingprovisioning.update_rule_group
        folder, document = ALERTS.found(grafana) or ALERTS.uid, self._document()
        document |= {
            "folderUid": folder,
            "rules": [{**rule, "folderUID": folder} for rule in document["rules"]],
        }
        grafana.ask(call, f"the rules {self.name}", folder, self.name, document)

    def _document(self) -> JsonObject:
        return alerting.api_rule_group(
            self.group, self.rules, database=self.database, runbooks=self.runbooks, routed=self.routed
        )

    def _read(self, grafana: Grafana) -> list[JsonObject]:
        call = grafana.api.alertingprovisioning.get_alertrule
        uids = [alerting.rule_uid(rule) for rule in self.rules]
        found = [grafana.ask(call, f"the rule {uid}", uid) for uid in uids]
        return [rule for rule in found if rule is not None]


def _object(answer: Any) -> JsonObject | None:
    return None if answer is None else dict(answer)


def _without_place(rule: JsonObject) -> JsonObject:
    """A rule without where it lies, which differs between files and the API."""
    return {key: part for key, part in rule.items() if key not in ("folderUID", "orgID")}


def _by_hand(found: Sequence[JsonObject | None]) -> str:
    """Why things of alerting are not ours, by their provenance."""
    for provenance in (thing.get("provenance") or "" for thing in found if thing is not None):
        if provenance == "file":
            return FROM_FILES
        if provenance != "api":
            return "it was made or unlocked by hand"
    return ""

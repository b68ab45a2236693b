"""What a push would change, doing it, and the other way round.

Nothing is written before everything was read: where something is somebody's, nothing is changed at all. Nothing is ever
deleted. A second push finds nothing to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dashboards.grafana import alerting
from dashboards.grafana.client import Grafana
from dashboards.grafana.dashboard import dashboard
from dashboards.grafana.difference import difference, pruned
from dashboards.grafana.failures import GrafanaConflict
from dashboards.grafana.files import text_of
from dashboards.grafana.resources import (
    ALERTS,
    DASHBOARDS,
    FROM_FILES,
    Board,
    ContactPoint,
    DataSource,
    MessageTemplate,
    Resource,
    RuleGroup,
)
from dashboards.panels.registry import boards
from tokenweir.settings import ClickHouseSettings, GrafanaSettings


@dataclass(frozen=True)
class Change:
    """What would be done to one thing.

    lines: what differs of what is there. somebodys: why it may not be overwritten; empty where it may.
    """

    resource: Resource
    action: Literal["create", "update"]
    lines: tuple[str, ...]
    somebodys: str = ""

    def as_row(self) -> dict[str, str]:
        """For a table or a program."""
        return {
            "what": self.resource.kind,
            "name": self.resource.name,
            "action": self.action,
            "somebodys": self.somebodys,
        }


def resources(settings: GrafanaSettings, ledger: ClickHouseSettings) -> list[Resource]:
    """Everything of ours, in the order in which one needs the other."""
    database, addresses = ledger.database, settings.alert_addresses
    found: list[Resource] = []
    if dsn := settings.reader_dsn.get_secret_value():
        found.append(DataSource(dsn, database))
    found += [DASHBOARDS, ALERTS]
    found += [Board({**dashboard(each, database=database)}) for each in boards()]
    if addresses:
        found += [MessageTemplate(), ContactPoint(addresses)]
    found += [
        RuleGroup(group, tuple(rules), database, settings.runbooks_url, routed=bool(addresses))
        for group, rules in alerting.rule_groups()
    ]
    return found


def plan(grafana: Grafana, wanted: Sequence[Resource]) -> list[Change]:
    """What differs. Raises one of `dashboards.grafana.failures`."""
    changes = []
    for resource in wanted:
        there, should = resource.read(grafana), resource.wanted()
        if there is None:
            changes.append(Change(resource, "create", ()))
            continue
        lines = difference(pruned(there, should), should)
        if lines:
            changes.append(Change(resource, "update", tuple(lines), resource.somebodys(grafana)))
    return changes


def push(grafana: Grafana, changes: Sequence[Change], *, force: bool) -> None:
    """Makes the changes. Raises GrafanaConflict, before anything is written, where one is of what is somebody's and
    `force` is not given, or comes from files, which no force can change; else what Grafana says."""
    theirs = [change for change in changes if change.somebodys]
    stuck = [change for change in theirs if change.somebodys == FROM_FILES]
    if stuck:
        raise GrafanaConflict(
            f"{_names(stuck)}: {FROM_FILES}",
            hint="A Grafana that has the files needs no push; nothing was changed",
        )
    if theirs and not force:
        raise GrafanaConflict(
            "; ".join(f"{_names([change])}: {change.somebodys}" for change in theirs),
            hint="Nothing was changed. `weir grafana diff` shows what, `weir grafana pull` keeps it, "
            "and --force overwrites it",
        )
    for change in changes:
        change.resource.write(grafana, force=force)


def pull(grafana: Grafana, wanted: Sequence[Resource], folder: Path) -> list[Path]:
    """Writes what is there of ours into `folder`, a file each; answers the files. Secrets are not among it."""
    written = []
    for resource in wanted:
        there = resource.read(grafana)
        if there is not None:
            name = f"{resource.kind} {resource.name}".lower().replace(" ", "-")
            path = folder / f"{name}.json"
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text_of(there), encoding="utf-8")
            written.append(path)
    return written


def _names(changes: Sequence[Change]) -> str:
    return ", ".join(f"{change.resource.kind} {change.resource.name}" for change in changes)

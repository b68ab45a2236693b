"""What is committed for Grafana: every file under `deploy/grafana` that follows from the panels and the rules."""

import json
from pathlib import Path
from typing import Any, Final

from dashboards.grafana.alerting import contact_points_file, rules_file, templates_file
from dashboards.grafana.dashboard import dashboard
from dashboards.grafana.links import dashboard_uid
from dashboards.panels.registry import boards

FOLDER: Final = Path("deploy/grafana")
COMMAND: Final = "python -m dashboards.grafana"
"""Writes them anew."""

_DASHBOARDS: Final = "dashboards"
_ALERTING: Final = "provisioning/alerting"


def files() -> dict[str, str]:
    """The text of each file by its path below FOLDER."""
    found: dict[str, Any] = {
        f"{_DASHBOARDS}/{dashboard_uid(each.board.name)}.json": dashboard(each) for each in boards()
    }
    found[f"{_ALERTING}/rules.json"] = rules_file()
    found[f"{_ALERTING}/contact-points.json"] = contact_points_file()
    found[f"{_ALERTING}/templates.json"] = templates_file()
    return {path: text_of(content) for path, content in found.items()}


def text_of(content: Any) -> str:
    """JSON as it is committed."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def write(folder: Path = FOLDER) -> list[str]:
    """Writes what differs below `folder` and removes dashboards of boards that are gone; answers the paths."""
    wanted = files()
    changed = []
    for path, text in wanted.items():
        target = folder / path
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            changed.append(path)
    for stray in strays(folder):
        (folder / stray).unlink()
        changed.append(stray)
    return sorted(changed)


def strays(folder: Path = FOLDER) -> list[str]:
    """Dashboards below `folder` that no board has."""
    there = {path.relative_to(folder).as_posix() for path in (folder / _DASHBOARDS).glob("*.json")}
    return sorted(there - set(files()))

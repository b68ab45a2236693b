"""`make grafana`: its script, with the real `weir`, on a server that stands in for the Grafana of docker compose."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dashboards.panels.registry import boards
from tests.docs.page_shell import programs_folder
from tests.grafana.server import PASSWORD, GrafanaServer
from tokenweir.cli.root import run

SCRIPT = Path(__file__).parents[2] / "deploy" / "grafana" / "check.sh"


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_check_compares_and_asks_and_leaves_nothing_behind(
    server: GrafanaServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("dashboards.grafana.push.boards", boards)
    assert run(["grafana", "push"]) == 0
    programs = programs_folder(tmp_path / "bin")
    # What docker compose starts is the server that is running.
    (programs / "docker").write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path}/docker.log"\n')
    (programs / "docker").chmod(0o755)
    port = urlsplit(server.url).port
    (tmp_path / ".env").write_text(f"GRAFANA_ADMIN_PASSWORD={PASSWORD}\nGRAFANA_PORT={port}\n")
    search = os.pathsep.join((str(programs), str(Path(sys.executable).parent), os.environ["PATH"]))

    def check() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", str(SCRIPT)],
            cwd=tmp_path,
            env={**os.environ, "PATH": search},
            capture_output=True,
            text=True,
            check=False,
        )

    done = check()
    assert done.returncode == 0, done.stderr
    assert "no difference" in done.stdout
    assert "queries were answered" in done.stdout
    assert server.accounts == []
    started = (tmp_path / "docker.log").read_text().splitlines()
    assert started[0] == "compose up --detach --wait clickhouse grafana"
    server.fails_on = "behind_seconds"
    server.rules["tokenweir-budget"]["title"] = "As it was"
    done = check()
    assert done.returncode == 1
    assert "+ rules.tokenweir-budget.title: A budget is running out" in done.stdout
    assert "alert rule pipeline-behind: Unknown column" in done.stdout
    assert server.accounts == []

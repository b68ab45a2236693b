"""A Grafana to push to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.panels.registry import boards
from tests.grafana.server import TOKEN, GrafanaServer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[GrafanaServer]:
    """It is the Grafana of the settings. One board is pushed; they differ in nothing that matters here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dashboards.grafana.push.boards", lambda: boards()[:1])
    with GrafanaServer() as running:
        monkeypatch.setenv("TOKENWEIR_GRAFANA__URL", running.url)
        monkeypatch.setenv("TOKENWEIR_GRAFANA__TOKEN", TOKEN)
        yield running
        assert running.undocumented == []

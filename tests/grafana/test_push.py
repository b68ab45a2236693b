"""`weir grafana push`, `diff` and `pull` against a server that answers as Grafana is documented to."""

import json
from pathlib import Path
from typing import Any

import pytest

from dashboards.alerts.registry import rules
from dashboards.grafana import alerting
from dashboards.grafana.sql import variables_of
from dashboards.panels.registry import boards
from tests.grafana.schemas import Schemas
from tests.grafana.server import TOKEN, GrafanaServer
from tokenweir.cli.root import run

FLEET = "tokenweir-fleet"


def rename(model: dict[str, Any]) -> None:
    model["title"] = "Alice's own"


def test_everything_is_pushed_once(
    server: GrafanaServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("dashboards.grafana.push.boards", boards)
    assert run(["grafana", "push"]) == 0
    assert set(server.dashboards) == {f"tokenweir-{each.board.name}" for each in boards()}
    assert set(server.folders) == {"tokenweir", "tokenweir-alerts"}
    assert set(server.rules) == {alerting.rule_uid(rule) for rule in rules()}
    assert server.intervals["tokenweir-alerts", "Ledger"] == 300
    assert all(rule["provenance"] == "api" for rule in server.rules.values())
    capsys.readouterr()
    written = len(server.writes)
    assert run(["grafana", "push"]) == 0
    assert capsys.readouterr().out == "nothing to do\n"
    assert run(["grafana", "diff"]) == 0
    assert capsys.readouterr().out == "no difference\n"
    assert len(server.writes) == written


def test_a_dry_run_changes_nothing(server: GrafanaServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["grafana", "push", "--dry-run", "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert {"what": "dashboard", "name": FLEET, "action": "create", "somebodys": ""} in planned
    assert server.writes == []
    assert run(["grafana", "diff"]) == 1
    assert f"dashboard {FLEET} is missing" in capsys.readouterr().out


def test_an_older_push_is_replaced(server: GrafanaServer, capsys: pytest.CaptureFixture[str]) -> None:
    run(["grafana", "push"])
    server.dashboards[FLEET][-1]["data"]["title"] = "As it was in the last release"
    server.rules["tokenweir-budget"]["title"] = "As it was"
    capsys.readouterr()
    assert run(["grafana", "diff"]) == 1
    shown = capsys.readouterr().out
    assert "- title: As it was in the last release" in shown
    assert "+ title: Fleet overview" in shown
    assert "- rules.tokenweir-budget.title: As it was" in shown
    assert run(["grafana", "push"]) == 0
    assert server.dashboards[FLEET][-1]["data"]["title"] == "Fleet overview"
    assert server.rules["tokenweir-budget"]["title"] == "A budget is running out"


def test_somebodys_edit_is_kept_until_it_is_forced(
    server: GrafanaServer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run(["grafana", "push"])
    server.saved_by_somebody(FLEET, rename)
    written = len(server.writes)
    capsys.readouterr()
    assert run(["grafana", "push"]) == 1
    said = capsys.readouterr().err
    assert f"dashboard {FLEET}: version 2 was saved by alice" in said
    assert "--force" in said
    assert len(server.writes) == written
    assert run(["grafana", "pull", "--to", str(tmp_path / "kept")]) == 0
    kept = json.loads((tmp_path / "kept" / f"dashboard-{FLEET}.json").read_text())
    assert kept["title"] == "Alice's own"
    assert run(["grafana", "push", "--force"]) == 0
    assert server.dashboards[FLEET][-1]["data"]["title"] == "Fleet overview"
    assert run(["grafana", "diff"]) == 0


def test_who_saves_meanwhile_is_not_overwritten(
    server: GrafanaServer, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["grafana", "push"])
    server.dashboards[FLEET][-1]["data"]["title"] = "As it was in the last release"

    def somebody() -> None:
        server.before_save = lambda: None
        server.saved_by_somebody(FLEET, rename)

    server.before_save = somebody
    assert run(["grafana", "push"]) == 1
    assert "was changed meanwhile: The dashboard has been changed by someone else" in capsys.readouterr().err
    assert server.dashboards[FLEET][-1]["data"]["title"] == "Alice's own"


def test_what_comes_from_files_is_not_pushed(
    server: GrafanaServer, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["grafana", "push"])
    server.provisioned.add(FLEET)
    server.dashboards[FLEET][-1]["data"]["title"] = "As in the files"
    for arguments in (["grafana", "push"], ["grafana", "push", "--force"]):
        assert run(arguments) == 1
        assert "comes from files" in capsys.readouterr().err
    assert len(server.dashboards[FLEET]) == 1


@pytest.mark.parametrize(
    ("provenance", "said"), [("", "made or unlocked by hand"), ("file", "comes from files")]
)
def test_rules_that_were_unlocked_are_somebodys(
    server: GrafanaServer, capsys: pytest.CaptureFixture[str], provenance: str, said: str
) -> None:
    run(["grafana", "push"])
    server.rules["tokenweir-budget"] |= {"provenance": provenance, "for": "1h"}
    assert run(["grafana", "push"]) == 1
    assert said in capsys.readouterr().err
    assert server.rules["tokenweir-budget"]["for"] == "1h"


def test_a_rule_of_others_in_our_group_is_kept(
    server: GrafanaServer, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["grafana", "push"])
    server.rules["bobs"] = {**server.rules["tokenweir-budget"], "uid": "bobs", "title": "Bob's"}
    server.rules["tokenweir-budget"]["title"] = "As it was"
    assert run(["grafana", "push"]) == 1
    assert 'the group also holds "Bob\'s"' in capsys.readouterr().err
    assert "bobs" in server.rules


def test_with_addresses_rules_name_their_contact_point(
    server: GrafanaServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["grafana", "push"])
    assert "notification_settings" not in server.rules["tokenweir-budget"]
    monkeypatch.setenv("TOKENWEIR_GRAFANA__ALERT_ADDRESSES", "a@example.com;b@example.com")
    assert run(["grafana", "push"]) == 0
    (point,) = server.contact_points
    assert point["settings"]["addresses"] == "a@example.com;b@example.com"
    assert server.rules["tokenweir-budget"]["notification_settings"]["receiver"] == point["name"]
    assert "tokenweir.message" in server.templates["tokenweir"]["template"]
    capsys.readouterr()
    assert run(["grafana", "push"]) == 0
    assert capsys.readouterr().out == "nothing to do\n"
    server.templates["tokenweir"]["template"] = "As it was"
    monkeypatch.setenv("TOKENWEIR_GRAFANA__ALERT_ADDRESSES", "c@example.com")
    assert run(["grafana", "push"]) == 0
    assert [each["settings"]["addresses"] for each in server.contact_points] == ["c@example.com"]
    assert run(["grafana", "diff"]) == 0


def test_the_data_source_is_set_up_and_its_password_never_shown(
    server: GrafanaServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("TOKENWEIR_GRAFANA__READER_DSN", "clickhouses://reader:s%40fe@ledger.example.com")
    assert run(["grafana", "diff"]) == 1
    assert run(["grafana", "push"]) == 0
    source = server.data_sources["tokenweir-clickhouse"]
    assert source["secureJsonData"] == {"password": "s@fe"}
    assert (source["jsonData"]["host"], source["jsonData"]["port"]) == ("ledger.example.com", 8443)
    source["jsonData"]["host"] = "elsewhere"
    assert run(["grafana", "diff"]) == 1
    assert "- jsonData.host: elsewhere" in capsys.readouterr().out
    assert run(["grafana", "push"]) == 0
    assert server.data_sources["tokenweir-clickhouse"]["jsonData"]["host"] == "ledger.example.com"
    run(["grafana", "pull", "--to", str(tmp_path / "kept")])
    everything = capsys.readouterr()
    kept = "".join(path.read_text() for path in (tmp_path / "kept").iterdir())
    assert "s@fe" not in everything.out + everything.err + kept
    monkeypatch.setenv("TOKENWEIR_GRAFANA__READER_DSN", "http://ledger")
    assert run(["grafana", "push"]) == 2


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/plugins", 403, "the token may not do this: the plugins"),
        ("/dashboards/db", 403, "Give its service account the role Admin"),
        ("/dashboards/db", 400, "Grafana does not take the dashboard tokenweir-"),
        ("/v1/provisioning/folder", 422, "Grafana does not take the rules"),
        ("/folders", 409, "was changed meanwhile"),
        ("/dashboards/uid", 500, "Grafana failed with status 500"),
        ("/plugins", 503, "Grafana failed with status 503 on the plugins"),
        ("/plugins", 200, "does not answer as Grafana does"),
    ],
)
def test_what_grafana_refuses_is_said(
    server: GrafanaServer, capsys: pytest.CaptureFixture[str], path: str, status: int, said: str
) -> None:
    server.failing[path] = status
    assert run(["grafana", "push"]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert TOKEN not in error


def test_a_token_that_is_not_taken(
    server: GrafanaServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOKENWEIR_GRAFANA__TOKEN", "another-secret")
    assert run(["grafana", "push"]) == 1
    error = capsys.readouterr().err
    assert "does not take the token" in error
    assert "another-secret" not in error
    monkeypatch.delenv("TOKENWEIR_GRAFANA__TOKEN")
    assert run(["grafana", "push"]) == 2
    assert "TOKENWEIR_GRAFANA__TOKEN" in capsys.readouterr().err


def test_a_grafana_that_does_not_answer(
    server: GrafanaServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOKENWEIR_GRAFANA__TIMEOUT_SECONDS", "0.2")
    server.hang_seconds = 2
    assert run(["grafana", "push"]) == 1
    assert "did not answer within 0.2 s" in capsys.readouterr().err
    monkeypatch.setenv("TOKENWEIR_GRAFANA__URL", "http://127.0.0.1:9")
    assert run(["grafana", "push"]) == 1
    assert "no Grafana answers at http://127.0.0.1:9" in capsys.readouterr().err


def test_a_grafana_that_does_not_fit(server: GrafanaServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.version = "10.4.1"
    assert run(["grafana", "push"]) == 1
    assert "is Grafana 10.4.1" in capsys.readouterr().err
    server.version, server.plugins = "12.4.4", []
    assert run(["grafana", "push"]) == 1
    assert "has no plugin grafana-clickhouse-datasource" in capsys.readouterr().err
    assert server.writes == []


def test_a_grafana_below_a_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with GrafanaServer(prefix="/grafana") as below:
        monkeypatch.setenv("TOKENWEIR_GRAFANA__URL", below.url)
        monkeypatch.setenv("TOKENWEIR_GRAFANA__TOKEN", TOKEN)
        assert run(["grafana", "push"]) == 0
        assert FLEET in below.dashboards
        assert below.undocumented == []


def test_a_check_has_grafana_ask_every_query(
    server: GrafanaServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["grafana", "check"]) == 0
    expected = sum(len(each.panels) for each in boards()) + len(rules())
    assert capsys.readouterr().out == f"{expected} of {expected} queries were answered\n"
    assert len(server.asked) == expected
    for sql in server.asked:
        assert variables_of(sql) == set()
        assert "$__conditionalAll" not in sql
    server.fails_on = "behind_seconds"
    assert run(["grafana", "check"]) == 1
    assert "alert rule pipeline-behind: Unknown column" in capsys.readouterr().out


@pytest.mark.shared_data
def test_what_is_sent_fits_the_published_schemas(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shared_data: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOKENWEIR_GRAFANA__ALERT_ADDRESSES", "a@example.com")
    with GrafanaServer(Schemas(shared_data / "grafana")) as strict:
        monkeypatch.setenv("TOKENWEIR_GRAFANA__URL", strict.url)
        monkeypatch.setenv("TOKENWEIR_GRAFANA__TOKEN", TOKEN)
        assert run(["grafana", "push"]) == 0
        assert strict.rules
        assert strict.dashboards

"""Where settings come from and in which order."""

from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from tokenweir.settings import Settings, client_security, topic_name
from tokenweir.topics import TOPICS


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tokenweir.toml").write_text('[kafka]\nbootstrap_servers = "file:1"\ntopic_prefix = "x."\n')
    monkeypatch.setenv("TOKENWEIR_KAFKA__BOOTSTRAP_SERVERS", "environment:2")
    settings = Settings()
    assert settings.kafka.bootstrap_servers == "environment:2"
    assert settings.kafka.topic_prefix == "x."


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenweir.toml").write_text('[kafka]\nbootstrap = "x"\n')
    with pytest.raises(ValidationError, match="bootstrap"):
        Settings()


def test_budgets_are_groups_under_names(tmp_path: Path) -> None:
    (tmp_path / "tokenweir.toml").write_text(
        "[detection.budgets.search]\n"
        'amount_usd = 1200.50\nscope = { team = "search" }\nperiod = "week"\ntime_zone = "Europe/Berlin"\n'
    )
    budget = Settings().detection.budgets["search"]
    assert budget.amount_usd == Decimal("1200.50")
    assert (budget.scope, budget.period, budget.thresholds_percent) == (
        {"team": "search"},
        "week",
        [50, 80, 100],
    )


def test_a_secret_never_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENWEIR_CLICKHOUSE__DSN", "clickhouse://me:hunter2@host:8123")
    monkeypatch.setenv("TOKENWEIR_KAFKA__SASL_PASSWORD", "hunter2")
    settings = Settings()
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()
    assert settings.clickhouse.dsn.get_secret_value().endswith("host:8123")


def test_security_options_carry_just_what_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert client_security(Settings().kafka) == {"security_protocol": "PLAINTEXT"}
    monkeypatch.setenv("TOKENWEIR_KAFKA__SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("TOKENWEIR_KAFKA__SASL_MECHANISM", "SCRAM-SHA-512")
    monkeypatch.setenv("TOKENWEIR_KAFKA__SASL_USERNAME", "weir")
    monkeypatch.setenv("TOKENWEIR_KAFKA__SASL_PASSWORD", "secret")
    options = client_security(Settings().kafka)
    assert options["sasl_plain_password"] == "secret"
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"


def test_topics_have_one_name_each() -> None:
    names = [topic_name(Settings().kafka, topic.name) for topic in TOPICS]
    assert len(set(names)) == len(names)
    assert "tokenweir.usage" in names

"""The compose file against the code: its variables are settings, its commands are commands, its users exist."""

import itertools
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import click
import pytest
import yaml
from pydantic import BaseModel, SecretStr

from tests.compose.names import OWN_SERVICES
from tokenweir import topics
from tokenweir.cli.root import weir
from tokenweir.settings import Settings


def _own(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: compose["services"][name] for name in sorted(OWN_SERVICES)}


def _setting_names(model: type[BaseModel], prefix: str) -> set[str]:
    names = set()
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            names |= _setting_names(inner, f"{prefix}{name.upper()}__")
        else:
            names.add(f"{prefix}{name.upper()}")
    return names


def test_every_variable_is_a_setting(compose: dict[str, Any]) -> None:
    known = _setting_names(Settings, "TOKENWEIR_")
    for name, service in _own(compose).items():
        assert set(service["environment"]) <= known, name


@pytest.mark.parametrize("name", sorted(OWN_SERVICES))
def test_the_settings_can_be_read(
    compose: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable, value in compose["services"][name]["environment"].items():
        monkeypatch.setenv(variable, value)
    settings = Settings()
    if name not in ("migrate",):
        assert settings.kafka.bootstrap_servers == "kafka:9092"
    if name in ("migrate", "sink", "repricer"):
        assert settings.clickhouse.dsn.get_secret_value().endswith("@clickhouse:8123")
    if name == "gateway":
        assert settings.gateway.host == "0.0.0.0"  # noqa: S104 - inside its container
        assert settings.gateway.token != SecretStr("")


@pytest.mark.parametrize("name", sorted(OWN_SERVICES))
def test_every_command_is_one(compose: dict[str, Any], name: str) -> None:
    arguments = list(compose["services"][name]["command"])
    command: click.Command = weir
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), arguments.pop(0))
        assert found is not None
        command = found
    # Parses the options, and raises click.UsageError where one does not exist or has a wrong value.
    command.make_context(name, arguments)


def test_the_topics_command_creates_every_topic(compose: dict[str, Any]) -> None:
    from inspect import signature

    from streams.topic_admin import ensure_topics

    assert compose["services"]["topics"]["command"] == ["topics", "create"]
    assert signature(ensure_topics).parameters["topics"].default == topics.TOPICS


def test_workers_have_each_role(compose: dict[str, Any]) -> None:
    roles = {
        service["command"][-1] for service in _own(compose).values() if service["command"][0] == "worker"
    }
    assert roles == {"meter", "sink", "detect", "notify"}


def test_health_is_asked_where_it_is_answered(compose: dict[str, Any]) -> None:
    ports = {
        "gateway": "TOKENWEIR_GATEWAY__PORT",
        "meter": "TOKENWEIR_WORKER__METRICS_PORT",
        "sink": "TOKENWEIR_WORKER__METRICS_PORT",
        "detect": "TOKENWEIR_WORKER__METRICS_PORT",
        "notify": "TOKENWEIR_WORKER__METRICS_PORT",
    }
    for name, variable in ports.items():
        service = compose["services"][name]
        port = service["environment"][variable]
        assert f"http://127.0.0.1:{port}/health" in " ".join(service["healthcheck"]["test"])
    gateway = compose["services"]["gateway"]
    assert gateway["ports"][0].rpartition(":")[2] == gateway["environment"]["TOKENWEIR_GATEWAY__PORT"]


def test_health_checks_are_python_that_compiles(compose: dict[str, Any]) -> None:
    assert (
        compose["services"]["repricer"]["command"][-1]
        in compose["services"]["repricer"]["healthcheck"]["test"][-1]
    )
    for name in ("gateway", "meter", "sink", "repricer"):
        kind, program, option, code = compose["services"][name]["healthcheck"]["test"]
        assert (kind, program, option) == ("CMD", "python", "-c")
        compile(code, name, "exec")


def test_the_kafka_addresses_fit_its_listeners(compose: dict[str, Any]) -> None:
    kafka = compose["services"]["kafka"]["environment"]

    def listeners(text: str) -> dict[str, str]:
        return dict(part.split("://", 1) for part in text.split(","))

    offered = listeners(kafka["KAFKA_LISTENERS"])
    advertised = listeners(kafka["KAFKA_ADVERTISED_LISTENERS"])
    assert set(advertised) | {kafka["KAFKA_CONTROLLER_LISTENER_NAMES"]} == set(offered)
    assert advertised["INTERNAL"] == "kafka:9092"
    host_port = compose["services"]["kafka"]["ports"][0].rpartition(":")
    assert advertised["HOST"] == host_port[0]
    assert offered["HOST"] == f":{host_port[2]}"


def test_grafana_reads_as_a_user_that_clickhouse_has(compose: dict[str, Any], root: Path) -> None:
    (source,) = yaml.safe_load(
        (root / "deploy/grafana/provisioning/datasources/clickhouse.yml").read_text(encoding="utf-8")
    )["datasources"]
    assert source["type"] in compose["services"]["grafana"]["environment"]["GF_PLUGINS_PREINSTALL_SYNC"]
    users = ElementTree.parse(root / "deploy/clickhouse/users.d/tokenweir.xml").getroot()  # noqa: S314 - our own
    reader = users.find(f"users/{source['jsonData']['username']}")
    assert reader is not None
    password = reader.find("password")
    assert password is not None
    assert source["secureJsonData"]["password"] == f"${password.attrib['from_env']}"
    assert password.attrib["from_env"] in compose["services"]["grafana"]["environment"]
    grants = [query.text or "" for query in reader.iter("query")]
    assert grants == [f"GRANT SELECT ON {source['jsonData']['defaultDatabase']}.*"]
    assert source["jsonData"]["host"] in compose["services"]
    profile = reader.findtext("profile")
    assert users.findtext(f"profiles/{profile}/readonly") == "2"


def test_clickhouse_has_no_default_user_and_no_password_of_its_own(
    compose: dict[str, Any], root: Path
) -> None:
    users = ElementTree.parse(root / "deploy/clickhouse/users.d/tokenweir.xml").getroot().find("users")  # noqa: S314
    assert users is not None
    default = users.find("default")
    assert default is not None
    assert default.attrib == {"remove": "remove"}
    environment = compose["services"]["clickhouse"]["environment"]
    for user in users:
        if user.tag != "default":
            password = user.find("password")
            assert password is not None
            assert not password.text
            assert password.attrib["from_env"] in environment
    database = compose["services"]["sink"]["environment"]["TOKENWEIR_CLICKHOUSE__DATABASE"]
    assert f"GRANT ALL ON {database}.*" in [query.text for query in users.iter("query")]
    login = compose["services"]["sink"]["environment"]["TOKENWEIR_CLICKHOUSE__DSN"]
    assert users.find(login.removeprefix("clickhouse://").partition(":")[0]) is not None
    secrets = {
        compose["services"][name]["environment"]["TOKENWEIR_CLICKHOUSE__DSN"]
        for name in ("sink", "migrate", "repricer")
    }
    assert len(secrets) == 1


def test_every_service_that_is_named_in_an_address_exists(compose: dict[str, Any]) -> None:
    values = itertools.chain.from_iterable(
        service["environment"].values() for service in _own(compose).values()
    )
    named = {"kafka" for value in values if value == "kafka:9092"} | {"clickhouse"}
    assert named <= set(compose["services"])

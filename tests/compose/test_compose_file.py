"""The compose file by itself: its form, its images, ports, secrets, order of starting, and what a container may do."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from tests.compose.names import OWN_SERVICES, REFERENCE, REQUIRED_SECRETS

Duration = Annotated[str, Field(pattern=r"^\d+(ms|s|m|h)$")]
Port = Annotated[str, Field(pattern=r"^[\d.]+:\d+(-\d+)?:\d+$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class HealthCheck(_Part):
    """As the compose specification has it; the shell form is not used here."""

    test: Annotated[list[str], Field(min_length=2)]
    interval: Duration
    timeout: Duration
    retries: int
    start_period: Duration


class Dependency(_Part):
    """When a service may start."""

    condition: Literal["service_started", "service_healthy", "service_completed_successfully"]


class Build(_Part):
    """What an image is built from."""

    context: str


class Limits(_Part):
    """A resource limit of the process."""

    soft: int
    hard: int


class Service(_Part):
    """The part of the compose specification's service that this project uses; anything else is a mistake."""

    image: str
    build: Build | None = None
    command: list[str] | None = None
    user: str | None = None
    restart: Literal["no", "always", "on-failure", "unless-stopped"]
    read_only: bool = False
    cap_drop: list[str] = []
    security_opt: list[str] = []
    tmpfs: list[str] = []
    environment: dict[str, str] = {}
    ports: list[Port] = []
    volumes: list[str] = []
    ulimits: dict[str, Limits] = {}
    depends_on: dict[str, Dependency] = {}
    healthcheck: HealthCheck | None = None


class ComposeFile(_Part):
    """The document, without its extensions (`x-…`)."""

    name: str
    services: dict[str, Service]
    volumes: dict[str, None]


@pytest.fixture(scope="module")
def file(compose: dict[str, Any]) -> ComposeFile:
    """The file, held to its form."""
    return ComposeFile.model_validate(
        {key: part for key, part in compose.items() if not key.startswith("x-")}
    )


def test_the_services_are_the_ones_that_are_promised(file: ComposeFile) -> None:
    assert set(file.services) == OWN_SERVICES | {"kafka", "clickhouse", "grafana"}


def test_every_image_is_pinned(file: ComposeFile) -> None:
    for name, service in file.services.items():
        if service.build:
            assert name in OWN_SERVICES
        else:
            assert re.fullmatch(r"[a-z./-]+:\d+\.\d+\.\d+(\.\d+)?", service.image), service.image


def test_ports_are_published_on_loopback_only(file: ComposeFile) -> None:
    published = [port for service in file.services.values() for port in service.ports]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
    hosts = [port.split(":")[1] for port in published]
    assert len(set(hosts)) == len(hosts)


def test_workers_can_be_scaled(compose_raw: dict[str, Any], file: ComposeFile) -> None:
    assert not [name for name, service in compose_raw["services"].items() if "container_name" in service]
    for name in ("meter", "sink"):
        assert not file.services[name].ports
        assert not file.services[name].volumes


def test_nothing_starts_before_what_it_needs(file: ComposeFile) -> None:
    for service in file.services.values():
        for name, dependency in service.depends_on.items():
            needed = file.services[name]
            if dependency.condition == "service_healthy":
                assert needed.healthcheck is not None, name
            elif dependency.condition == "service_completed_successfully":
                assert needed.restart == "no", name
                assert needed.healthcheck is None, name
    assert set(file.services["meter"].depends_on) == {"kafka", "topics"}
    for name in ("sink", "repricer"):
        assert set(file.services[name].depends_on) == {"kafka", "topics", "migrate"}


def test_what_runs_for_ever_restarts_and_tells_its_health(file: ComposeFile) -> None:
    for name, service in file.services.items():
        if name not in ("topics", "migrate"):
            assert service.restart == "unless-stopped", name
            assert service.healthcheck is not None, name


def test_own_containers_may_do_little(file: ComposeFile) -> None:
    for name in OWN_SERVICES:
        service = file.services[name]
        assert service.read_only
        assert service.user is not None
        assert service.user.split(":")[0] not in ("0", "root")
        assert service.cap_drop == ["ALL"]
        assert bool(service.volumes) == (name == "notify")
    for service in file.services.values():
        assert "no-new-privileges:true" in service.security_opt


def test_volumes_are_declared_and_files_exist(file: ComposeFile, root: Path) -> None:
    used = set()
    for service in file.services.values():
        for volume in service.volumes:
            source, _, rest = volume.partition(":")
            if source.startswith("./"):
                assert (root / source).exists(), source
                assert rest.endswith(":ro"), volume
            else:
                used.add(source)
    assert used == set(file.volumes)


def test_secrets_come_from_the_environment_and_have_no_default(
    compose_text: str, compose_raw: dict[str, Any]
) -> None:
    required = {found["name"] for found in REFERENCE.finditer(compose_text) if found["kind"] == ":?"}
    assert required == REQUIRED_SECRETS
    for found in REFERENCE.finditer(compose_text):
        assert found["kind"] == ":?" or (
            found["kind"] == ":-" and (found["text"].isdigit() or found["text"] == "null")
        ), found.group()
    for name, service in compose_raw["services"].items():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|TOKEN$|SECRET|DSN", variable):
                assert [found["kind"] for found in REFERENCE.finditer(value)] == [":?"], f"{name}: {variable}"


def test_the_example_names_every_variable_and_fills_no_secret(root: Path, compose_text: str) -> None:
    lines = (root / "deploy" / ".env.example").read_text(encoding="utf-8").splitlines()
    example = dict(line.lstrip("#").split("=", 1) for line in lines if re.match(r"#?[A-Z_]+=", line))
    assert set(example) == {found["name"] for found in REFERENCE.finditer(compose_text)}
    assert {name for name, value in example.items() if not value} == REQUIRED_SECRETS
    for found in REFERENCE.finditer(compose_text):
        if found["kind"] == ":-":
            assert example[found["name"]] == found["text"]

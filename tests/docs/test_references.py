"""What the pages name exists: commands and options in running text, links, images, settings, files, Python names."""

import importlib
import itertools
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from producers.emitter.attribution import VARIABLES as ATTRIBUTION_VARIABLES
from producers.simulation.fleet import WORKLOADS
from streams.meter import MAX_REJECTIONS
from streams.meter_role import MAX_IN_FLIGHT
from tests.docs.command_words import NOT_RUN, check_words, weir_options
from tests.docs.pages import PAGES, ROOT, anchors, code_spans, links, page_name
from tokenweir.local.read_only import Limits
from tokenweir.settings import BillsSettings, EmitterSettings, LocalSettings, Settings
from tokenweir.topics import METERED, TOPICS, USAGE
from tokenweir.usage.wire import MAX_BATCH_EVENTS

# Variables that are no settings: of the command line, of the tests, and of an emitter's process.
_OTHER_VARIABLES = frozenset(
    {"TOKENWEIR_DEBUG", "TOKENWEIR_SHARED_DATA", "TOKENWEIR_TEST_CLICKHOUSE_DSN", *ATTRIBUTION_VARIABLES}
)
# Options of programs other than `weir` that are named without the program.
_OTHER_OPTIONS = frozenset({"--build", "--detach", "--scale"})
_PACKAGES = ("tokenweir", "producers", "streams", "sinks", "dashboards", "benchmarks", "tests")

_VARIABLE = re.compile(r"\bTOKENWEIR_[A-Z0-9_]*[A-Z0-9]\b")
_SHORT_VARIABLE = re.compile(r"^…__[A-Z_]+$")
_SETTING = re.compile(r"^(kafka|clickhouse|pricing|emitter|gateway|worker|local)\.[a-z_]+$")
_DOTTED = re.compile(rf"^({'|'.join(_PACKAGES)})(\.\w+)+$")
_PATH = re.compile(rf"^({'|'.join(_PACKAGES)}|docs|deploy)(/[\w.*-]+)+/?$")

each_page = pytest.mark.parametrize("page", PAGES, ids=page_name)


def settings_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The dotted names of all settings."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from settings_of(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


SETTINGS = frozenset(settings_of(Settings))
VARIABLES = frozenset("TOKENWEIR_" + name.upper().replace(".", "__") for name in SETTINGS)


@each_page
def test_commands_in_running_text_exist(page: Path) -> None:
    wrong = []
    for span in code_spans(page):
        try:
            words = shlex.split(span.text)
        except ValueError:
            continue
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        runs_something = len(words) > 1 and (words[0] == "weir" or words[0] in NOT_RUN)
        try:
            if runs_something:
                check_words(words)
            elif words and re.fullmatch(r"--[a-z-]+", words[0]):
                assert words[0] in weir_options() | _OTHER_OPTIONS, f"no option {words[0]}"
        except AssertionError as error:
            wrong.append(f"{page_name(page)}:{span.line}: {error}")
    assert wrong == []


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    wrong = []
    for link in links(page):
        target, _, anchor = link.text.partition("#")
        if re.match(r"^[a-z]+:", link.text):
            continue
        found = (page.parent / target).resolve() if target else page
        if not found.exists() or (anchor and anchor not in anchors(found)):
            wrong.append(f"{page_name(page)}:{link.line}: {link.text}")
    assert wrong == []


def _is_of_a_named_group(variable: str) -> bool:
    """Whether a variable sets something in one of the groups that bear the user's names: [bills.NAME]."""
    group, _, field = variable.removeprefix("TOKENWEIR_BILLS__").partition("__")
    return (
        variable.startswith("TOKENWEIR_BILLS__")
        and bool(group)
        and field.lower() in BillsSettings.model_fields
    )


@each_page
def test_settings_exist(page: Path) -> None:
    wrong = [
        name
        for name in _VARIABLE.findall(page.read_text(encoding="utf-8"))
        if name not in VARIABLES | _OTHER_VARIABLES and not _is_of_a_named_group(name)
    ]
    group = ""
    for span in code_spans(page):
        if _SETTING.match(span.text) and not span.text.endswith(".py") and span.text not in SETTINGS:
            wrong.append(span.text)
        if span.text.startswith("TOKENWEIR_") and "__" in span.text:
            group = span.text.partition("__")[0]
        if _SHORT_VARIABLE.match(span.text) and group + span.text[1:] not in VARIABLES:
            wrong.append(group + span.text)
    assert wrong == []


@each_page
def test_files_exist(page: Path) -> None:
    wrong = [
        f"{page_name(page)}:{span.line}: {span.text}"
        for span in code_spans(page)
        if _PATH.match(span.text) and not span.text.startswith("tests/kafka/.") and not _exists(span.text)
    ]
    assert wrong == []


def _exists(path: str) -> bool:
    return any(ROOT.glob(path)) if "*" in path else (ROOT / path).exists()


@each_page
def test_python_names_exist(page: Path) -> None:
    wrong = []
    for span in code_spans(page):
        text = span.text.removesuffix("()")
        if not _DOTTED.match(text) or _is_topic(text):
            continue
        try:
            _resolve(text)
        except (ImportError, AttributeError) as error:
            wrong.append(f"{page_name(page)}:{span.line}: {error}")
    assert wrong == []


def _is_topic(text: str) -> bool:
    return text in {Settings.model_construct().kafka.topic_prefix + topic.name for topic in TOPICS} | {
        "tokenweir.toml"
    }


def _resolve(text: str) -> Any:
    parts = text.split(".")
    found: Any = importlib.import_module(parts[0])
    for number, part in enumerate(parts[1:], start=2):
        try:
            found = getattr(found, part)
        except AttributeError:
            found = importlib.import_module(".".join(parts[:number]))
    return found


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / link.text.partition("#")[0]).resolve() for link in links(index)}
    pages = {page for page in PAGES if page.parent == index.parent and page != index}
    assert pages - listed == set()


def test_the_dependencies_page_lists_what_is_depended_on() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [
        *project["project"]["dependencies"],
        *itertools.chain.from_iterable(project["project"]["optional-dependencies"].values()),
        *project["dependency-groups"]["dev"],
    ]
    names = {re.split(r"[\[<>=]", one)[0] for one in wanted} - {"tokenweir"}
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    listed = {
        name
        for row in re.findall(r"^\| (?:\w+ \| )?([a-z][\w, .-]*) \| ", page, re.MULTILINE)
        for name in row.split(", ")
    } - {"package", "extra"}
    assert names - listed == {"types-pyyaml", "types-jsonschema"}, "only stubs need no reason"
    assert listed - names == set()


_WORDS = {7: "seven", 12: "twelve", 30: "thirty"}
_FIGURES = [
    ("delivery.md", f"at most {MAX_REJECTIONS:,} lines are refused one by one"),
    ("delivery.md", f"Up to {MAX_IN_FLIGHT} messages are in flight"),
    (
        "delivery.md",
        f"({_WORDS[int(METERED.config['retention.ms']) // 86_400_000]} days, as topics are created here)",
    ),
    (
        "emitting.md",
        f"`max_pending_events` ({EmitterSettings().max_pending_events:,}) and "
        f"`max_pending_bytes` ({EmitterSettings().max_pending_bytes >> 20} MiB)",
    ),
    ("emitting.md", f"`exit_timeout_seconds` ({EmitterSettings().exit_timeout_seconds:g})"),
    ("emitting.md", f"longer than {EmitterSettings().linger_seconds:g} seconds (`linger_seconds`)"),
    ("page.md", f"`local.port` ({LocalSettings().port})"),
    ("page.md", f"`local.clickhouse_port` ({LocalSettings().clickhouse_port})"),
    ("page.md", f"| time | {Limits().execution_seconds:g} s |"),
    ("page.md", f"| rows of an answer | {Limits().result_rows:,} |"),
    ("deploy.md", f"a topic has {_WORDS[USAGE.partitions]}"),
    (
        "demo.md",
        f"{_WORDS[len({workload.team for workload in WORKLOADS})]} teams, {len(WORKLOADS)} workloads",
    ),
    ("architecture.md", f"up to {MAX_BATCH_EVENTS} a Kafka message"),
]


@pytest.mark.parametrize(("page", "sentence"), _FIGURES)
def test_figures_are_those_of_the_code(page: str, sentence: str) -> None:
    assert sentence in " ".join((ROOT / "docs" / page).read_text(encoding="utf-8").split())

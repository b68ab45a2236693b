"""Whether the words of a command are right, without running it: `weir` by its own parser, others by what we have.

Each function raises AssertionError with a sentence that says what does not exist.
"""

import ast
import importlib.util
import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import yaml

from tests.docs.pages import ROOT
from tokenweir.cli.root import weir

NOT_RUN: Final = {
    "docker": "needs a Docker daemon",
    "pip": "changes the environment that the tests run in, and needs a package index",
    "apt": "needs root and a package mirror",
    "git": "changes the working copy",
    ".": "sets up the reader's own shell",
    "make": "its targets run the tests, among other things",
    "cp": "prepares a file for docker compose",
    ".venv/bin/python": "starts servers that go on until interrupted",
    "python": "starts measurements and servers",
}
"""Commands of which only the words are checked, with the reason."""

_COMPOSE_COMMANDS: Final = frozenset({"up", "down", "ps", "logs", "exec", "pull", "build", "stop"})
_MAKE_TARGET: Final = re.compile(r"^([a-z]+):", re.MULTILINE)


def check_words(words: Sequence[str]) -> None:
    """The words of one command, its environment assignments left out."""
    program, *rest = words
    if program == "weir":
        check_weir(rest)
    elif program == "make":
        targets = _MAKE_TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8"))
        for word in rest:
            assert "=" in word or word in targets, f"the Makefile has no target {word!r}"
    elif program == "docker":
        _check_compose(rest)
    elif program in (".venv/bin/python", "python"):
        _check_module(rest)
    elif program == "cp":
        assert (ROOT / rest[0]).is_file(), f"there is no file {rest[0]}"
    else:
        assert program in NOT_RUN, f"unknown command {program!r}: run it or add it to NOT_RUN with a reason"


def check_weir(words: Sequence[str]) -> click.Command:
    """A `weir` command: its name, its options and the values of those that have a choice."""
    command: click.Command = weir
    rest = [word for word in words if word not in ("…", "...")]
    while isinstance(command, click.Group):
        if not rest or rest[0].startswith("-"):
            break
        name = rest.pop(0)
        found = command.get_command(click.Context(command), name)
        assert found is not None, f"`weir` has no command {name!r}"
        command = found
    context = click.Context(command)
    try:
        given, _, _ = command.make_parser(context).parse_args(args=list(rest))
        for parameter in command.params:
            if parameter.name in given and isinstance(parameter.type, click.Choice | click.IntRange):
                parameter.type_cast_value(context, given[parameter.name])
    except click.UsageError as error:
        raise AssertionError(f"`weir {' '.join(words)}`: {error.format_message()}") from error
    return command


def weir_options() -> set[str]:
    """Every option of `weir` and of its commands."""
    return {
        name
        for command in _all_commands(weir)
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("-")
    } | {"--help"}


def _all_commands(command: click.Command) -> list[click.Command]:
    if not isinstance(command, click.Group):
        return [command]
    context = click.Context(command)
    found = (command.get_command(context, name) for name in command.list_commands(context))
    return [command, *itertools.chain.from_iterable(_all_commands(one) for one in found if one is not None)]


def _check_compose(words: list[str]) -> None:
    assert words[:1] == ["compose"], "only `docker compose` is used here"
    services = set(yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"])
    if len(words) == 1:
        return
    subcommand, *rest = words[1:]
    assert subcommand in _COMPOSE_COMMANDS, f"unknown `docker compose {subcommand}`"
    named = [pair.partition("=")[0] for flag, pair in itertools.pairwise(rest) if flag == "--scale"]
    if subcommand == "exec":
        named.append(rest[0])
        if rest[1:2] == ["weir"]:
            check_weir(rest[2:])
    elif subcommand == "logs":
        named += [word for word in rest if not word.startswith("-")]
    for name in named:
        assert name in services, f"docker-compose.yml has no service {name!r}"


def _check_module(words: list[str]) -> None:
    """`-m module --option …`: the module is there, and its own text names each option."""
    assert words[:1] == ["-m"], f"python is only used with -m here, not {words[:1]}"
    name = words[1]
    found = importlib.util.find_spec(name)
    assert found is not None, f"there is no module {name}"
    if found.submodule_search_locations:
        found = importlib.util.find_spec(f"{name}.__main__")
    assert found is not None, f"the package {name} cannot be run"
    assert found.origin is not None, f"{name} has no source"
    source = Path(found.origin).read_text(encoding="utf-8")
    texts = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
    for word in words[2:]:
        if word.startswith("--"):
            assert word.partition("=")[0] in texts, f"{name} has no option {word}"

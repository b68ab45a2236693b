"""The root of `weir`: which commands there are, and how errors reach a person.

Exit status: 0 done, 1 failed, 2 called wrongly. An error is one sentence on standard error that says what
happened and what to do next; a stack trace shows only for a fault of our own, or with --debug.
"""

import errno
import os
import sys
import threading
import time
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import click
from pydantic import ValidationError
from pydantic_settings import SettingsError

from tokenweir import __version__
from tokenweir.cli.environment import check_environment, settings_problem
from tokenweir.errors import TokenweirError

INTERRUPTED: Final = 130
_END_SECONDS: Final = 2.0

# A command's module is imported when it is called, so that `weir --help` needs none of the optional packages.
_COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "up": ("tokenweir.cli.run", "run the whole pipeline here, until interrupted"),
    "demo": ("tokenweir.cli.run", "the same with a simulated fleet"),
    "ingest": ("tokenweir.cli.ingest", "read logs and exports into the ledger"),
    "collect": ("tokenweir.cli.collect", "follow files as they grow"),
    "parse": ("tokenweir.cli.convert", "raw vendor answers in, usage events out"),
    "price": ("tokenweir.cli.convert", "usage events in, their costs out"),
    "prices": ("tokenweir.cli.prices", "what models cost, what changed, and newer prices"),
    "models": ("tokenweir.cli.models", "which models there are, and what replaces one, by when"),
    "spend": ("tokenweir.cli.ledger", "what was spent"),
    "whatif": ("tokenweir.cli.whatif", "what the same calls would cost on another model"),
    "reprice": ("tokenweir.cli.reprice", "price the ledger's calls anew, and say what changed"),
    "bills": ("tokenweir.cli.bills", "vendors' own usage and cost reports"),
    "reconcile": ("tokenweir.cli.reconcile", "vendors' bills beside the ledger"),
    "allowances": ("tokenweir.cli.allowances", "what is left of free tiers and prepaid packs"),
    "budgets": ("tokenweir.cli.budgets", "what is spent of each budget, and what it comes to"),
    "query": ("tokenweir.cli.ledger", "read-only SQL on the ledger"),
    "rejected": ("tokenweir.cli.ledger", "what was refused, and why"),
    "page": ("tokenweir.cli.page", "the dashboards over a ledger that is there"),
    "report": ("tokenweir.cli.report", "the boards as one file that can be mailed"),
    "signals": ("tokenweir.cli.signals", "what happened, and what is going on"),
    "detect": ("tokenweir.cli.detect", "the spike detector over any CSV"),
    "unpriced": ("tokenweir.cli.unpriced", "what has no price"),
    "doctor": ("tokenweir.cli.operate", "what is wrong"),
    "grafana": ("tokenweir.cli.grafana", "dashboards and alert rules in a Grafana"),
    "gateway": ("tokenweir.cli.operate", "the HTTP way in, against a Kafka cluster"),
    "worker": ("tokenweir.cli.operate", "one stream worker, against a Kafka cluster"),
    "migrate": ("tokenweir.cli.operate", "bring the ledger's tables up to date"),
    "topics": ("tokenweir.cli.operate", "create or show the Kafka topics"),
}


class Weir(click.Group):
    """The command group; finds a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which a newcomer meets them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in _COMMANDS:
            return None
        module, _ = _COMMANDS[cmd_name]
        try:
            return getattr(import_module(module), cmd_name)  # type: ignore[no-any-return]
        except ModuleNotFoundError as error:
            if error.name is not None and error.name.split(".")[0] in (
                "tokenweir",
                "producers",
                "streams",
                "sinks",
                "dashboards",
            ):
                raise
            raise click.ClickException(
                f"`weir {cmd_name}` needs the package {error.name}; install tokenweir[all]"
            ) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.command(
    cls=Weir,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Start with: weir demo",
)
@click.version_option(__version__, prog_name="weir")
@click.option("--debug", is_flag=True, help="Show the stack trace of an error.")
def weir(debug: bool) -> None:
    """Tokenweir: every vendor's token usage in, one exact priced ledger out."""
    from tokenweir.cli.logs import hush_logs

    if debug:
        os.environ["TOKENWEIR_DEBUG"] = "1"
    hush_logs()
    for warning in check_environment(os.environ):
        click.echo(f"weir: {warning}", err=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script. Ends the process with the command's exit status."""
    status = run(arguments)
    if status == INTERRUPTED:
        threading.Thread(target=_end_soon, name="tokenweir-end", daemon=True).start()
    sys.exit(status)


def _end_soon() -> None:
    """Ends an interrupted process for which a thread of some library would otherwise be waited for."""
    time.sleep(_END_SECONDS)
    os._exit(INTERRUPTED)


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status; errors are written to standard error."""
    try:
        result: Any = weir.main(args=arguments, prog_name="weir", standalone_mode=False)
    except click.exceptions.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except TokenweirError as error:
        if os.environ.get("TOKENWEIR_DEBUG"):
            raise
        click.echo(f"weir: {error}", err=True)
        return error.exit_status
    except SettingsError as error:
        click.echo(
            f"weir: {error}. A group's settings are set one by one, as TOKENWEIR_GROUP__NAME", err=True
        )
        return 2
    except ValidationError as error:
        if error.title != "Settings":
            raise
        click.echo(f"weir: {settings_problem(error)}", err=True)
        return 2
    except BrokenPipeError:
        # The reader went away (`weir query … | head`); nothing is wrong with us.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        # A full disk, a forbidden file: the system's sentence and the file say it; a stack trace would not help.
        if os.environ.get("TOKENWEIR_DEBUG"):
            raise
        click.echo(f"weir: {_system_problem(error)}", err=True)
        return 1
    return result if isinstance(result, int) else 0


def _system_problem(error: OSError) -> str:
    what = error.strerror or str(error) or type(error).__name__
    where = f"{error.filename}: " if error.filename else ""
    hint = "Make room and try again" if error.errno == errno.ENOSPC else "`weir --debug …` shows where"
    return f"{where}{what}. {hint}"

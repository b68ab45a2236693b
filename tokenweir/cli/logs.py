"""Log lines of long-running commands on standard error, as text or as JSON."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

from tokenweir.settings import Settings

# Libraries that say much at a level at which we want to hear our own.
_QUIET: Final = (
    "aiokafka",
    "faust",
    "mode",
    "aiohttp",
    "asyncio",
    "streams.steady_app",
)
_SILENT: Final = ("clickhouse_connect", "kafka", "urllib3")
"""Nothing that they say of a failure does not also reach us as an error, and some of it is a stack trace."""


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the exception where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Whether a person should see it: clickhouse_migrations tells the root logger every script that it runs, whole."""
    return record.name != "root" or record.levelno >= logging.WARNING


def set_up_logs(settings: Settings) -> None:
    """Sends this process's log to standard error as the settings say."""
    handler = logging.StreamHandler(sys.stderr)
    if settings.log_format == "json":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    handler.addFilter(_is_worth_a_line)
    level = getattr(logging, settings.log_level.upper())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        # Their warnings tell of retries that we make on purpose; what fails reaches us as an error.
        logging.getLogger(name).setLevel(max(level, logging.ERROR))
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def hush_logs() -> None:
    """For a command that answers and ends: what libraries fail at reaches the person once, as our own error."""
    for name in (*_QUIET, *_SILENT):
        logging.getLogger(name).setLevel(logging.CRITICAL)

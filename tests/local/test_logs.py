"""What long-running commands say on standard error."""

import logging
from collections.abc import Iterator

import pytest

from tokenweir.cli.logs import set_up_logs
from tokenweir.settings import Settings


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers = list(root.handlers)
    loggers = [root, *(logging.getLogger(name) for name in logging.root.manager.loggerDict)]
    levels = [logger.level for logger in loggers]
    yield
    root.handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.mark.usefixtures("logging_as_it_was")
def test_our_own_lines_are_shown_and_what_libraries_tell_the_root_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logs(Settings())
    logging.getLogger("tokenweir.streams").info("four partitions")
    logging.info("Execute migration CREATE TABLE")
    logging.warning("something is wrong")
    said = capsys.readouterr().err
    assert "four partitions" in said
    assert "CREATE TABLE" not in said
    assert "something is wrong" in said

"""A meter worker as a process of its own, to be killed by a test: `python -m tests.streams.meter_process SETTINGS`."""

import asyncio
import logging
import sys

from streams.worker import run_worker
from tests.streams.making import FlatBook
from tokenweir.settings import Settings


def main() -> None:
    """Runs until SIGTERM."""
    logging.basicConfig(level=logging.INFO)
    asyncio.run(run_worker(Settings.model_validate_json(sys.argv[1]), "meter", book_factory=FlatBook))


if __name__ == "__main__":
    main()

"""A detect worker as a process of its own, to be killed by a test.

`python -m tests.detection.detect_process SETTINGS`, the settings as JSON.
"""

import asyncio
import logging
import sys

from streams.worker import run_worker
from tests.detectors.small import DearTeams
from tokenweir.settings import Settings


def main() -> None:
    """Runs until SIGTERM."""
    logging.basicConfig(level=logging.INFO)
    asyncio.run(
        run_worker(
            Settings.model_validate_json(sys.argv[1]),
            "detect",
            detectors_factory=lambda: lambda: [DearTeams()],
        )
    )


if __name__ == "__main__":
    main()

"""What every test may use."""

import os
import signal
from pathlib import Path

import pytest

pytest_plugins = ["tests.kafka.fixtures"]

# A shell that runs this in the background has it ignore SIGINT, and so would every process that a test starts and
# interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Reference data kept beside the repository (TOKENWEIR_SHARED_DATA, else ../shared/data). Skips without it."""
    path = Path(os.environ.get("TOKENWEIR_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no reference data at {path}")
    return path

"""What every test may use."""

import os
from pathlib import Path

import pytest

pytest_plugins = ["tests.kafka.fixtures"]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Reference data kept beside the repository (TOKENWEIR_SHARED_DATA, else ../shared/data). Skips without it."""
    path = Path(os.environ.get("TOKENWEIR_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no reference data at {path}")
    return path

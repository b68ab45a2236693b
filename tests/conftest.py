"""What every test may use."""

import os
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from tokenweir.pricing.price_cache import CACHE_DIR_VARIABLE

LONGEST_FIRST = (
    "test_bad_events.py",
    "test_command.py",
    "test_commands.py",
    "test_apps.py",
    "test_ledger_is_exact.py",
    "test_bad_places.py",
    "test_traces.py",
    "test_embedded.py",
    "test_benchmarks.py",
    "test_bills_end_to_end.py",
    "test_browser.py",
    "test_browser_goes_on.py",
    "test_handover.py",
    "test_whatif_command.py",
)
"""Files of few and long tests; begun last, one of them would keep a single process busy for minutes."""

pytest_plugins = ["tests.kafka.fixtures"]

# Properties are tried on so many examples in every run, whatever time one takes on a busy machine. To look longer:
# HYPOTHESIS_PROFILE=long.
settings.register_profile("suite", max_examples=25, deadline=None)
settings.register_profile("long", max_examples=1_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

# A shell that runs this in the background has it ignore SIGINT, and so would every process that a test starts and
# interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Compiled price books of a run in a directory of its own, which its processes share, not in the user's cache."""
    if CACHE_DIR_VARIABLE not in os.environ:
        directory = tempfile.TemporaryDirectory(prefix="tokenweir-tests-")
        os.environ[CACHE_DIR_VARIABLE] = directory.name
        config.add_cleanup(directory.cleanup)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, all else as it was."""
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Reference data kept beside the repository (TOKENWEIR_SHARED_DATA, else ../shared/data). Skips without it."""
    path = Path(os.environ.get("TOKENWEIR_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no reference data at {path}")
    return path

"""Panels over a real engine."""

from collections.abc import Iterator

import pytest

from tests.panels.month import Month, PanelLedger


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    """Thirty days of the simulated fleet. One engine a module: a process can have one open at a time."""
    ledger = Month(str(tmp_path_factory.mktemp("month") / "chdb"))
    yield ledger
    ledger.close()


@pytest.fixture(scope="module")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PanelLedger]:
    """A ledger with its tables and nothing in them."""
    ledger = PanelLedger(str(tmp_path_factory.mktemp("empty") / "chdb"))
    yield ledger
    ledger.close()

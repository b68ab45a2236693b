"""Panels over a real engine."""

import os
from collections.abc import Iterator

import pytest

from tests.panels.month import Month, PanelLedger, month_in


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    """Thirty days of the simulated fleet. One engine a module: a process can have one open at a time."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    ledger = month_in(tmp_path_factory.mktemp("month") / "chdb", shared)
    yield ledger
    ledger.close()


@pytest.fixture(scope="module")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PanelLedger]:
    """A ledger with its tables and nothing in them."""
    ledger = PanelLedger(str(tmp_path_factory.mktemp("empty") / "chdb"))
    yield ledger
    ledger.close()

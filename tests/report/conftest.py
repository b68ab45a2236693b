"""Reports over a real engine: the ledgers of the panels' tests."""

from tests.panels.conftest import empty_ledger, month

__all__ = ["empty_ledger", "month"]

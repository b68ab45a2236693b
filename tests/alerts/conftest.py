"""A ledger for rules."""

from tests.panels.conftest import empty_ledger as empty_ledger

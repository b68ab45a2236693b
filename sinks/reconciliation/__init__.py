"""Vendors' bills set beside the ledger: how far they agree, where they do not, and the likely reason.

`reconcile` decides and is pure; `query` fetches both sides from the ledger's store.
"""

from sinks.reconciliation.reconcile import Reconciliation, reconcile
from sinks.reconciliation.sides import Facts

__all__ = ["Facts", "Reconciliation", "reconcile"]

"""What vendors themselves say was used and charged: the bill line, its snapshots, and its form on the wire."""

from tokenweir.bills.line import BillLine, VendorBill
from tokenweir.bills.snapshot import Scope, snapshot_of

__all__ = ["BillLine", "Scope", "VendorBill", "snapshot_of"]

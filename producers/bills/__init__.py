"""Vendors' own usage and cost reports: asked for, read, and made into snapshots of bill lines."""

from producers.bills.registry import report_names, reports_of, vendors

__all__ = ["report_names", "reports_of", "vendors"]

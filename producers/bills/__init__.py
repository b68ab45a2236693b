"""Vendors' own usage and cost reports: asked for, read, and made into snapshots of bill lines."""

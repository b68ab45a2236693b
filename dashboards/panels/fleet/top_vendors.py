"""The vendors that cost most."""

from dashboards.panels.fleet.largest import largest

PANEL = largest("top-vendors", "Which vendors cost most?", ("vendor",), place=42)

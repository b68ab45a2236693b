"""The models that cost most."""

from dashboards.panels.fleet.largest import largest

PANEL = largest("top-models", "Which models cost most?", ("vendor", "model"), place=44)

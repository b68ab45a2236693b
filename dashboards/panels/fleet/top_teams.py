"""The teams that cost most."""

from dashboards.panels.fleet.largest import largest

PANEL = largest("top-teams", "Which teams cost most?", ("team",), place=40)

"""The board of incidents: what is open, what it costs, and why."""

from dashboards.panels.panel import Board

BOARD = Board(
    name="signals",
    title="Spikes and signals",
    description="What changed, since when, what it costs a day and what is behind it.",
    place=40,
    period="7d",
)

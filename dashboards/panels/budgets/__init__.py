"""The board of whoever answers for a budget."""

from dashboards.panels.panel import Board

BOARD = Board(
    name="budgets",
    title="Budgets and forecast",
    description="What the month comes to so far, where it is heading, and how that stands against what was planned.",
    place=30,
    period="30d",
)

"""The board that everyone opens first."""

from dashboards.panels.panel import Board

BOARD = Board(
    name="fleet",
    title="Fleet overview",
    description="What the whole fleet spends, what moved, and what is going on.",
    place=10,
    period="7d",
)

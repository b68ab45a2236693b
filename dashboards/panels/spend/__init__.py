"""The board of whoever has to explain what was spent."""

from dashboards.panels.panel import Board

BOARD = Board(
    name="spend",
    title="Spend",
    description="Who spent what on which models, why it changed, and what caches and batches saved.",
    place=20,
    period="7d",
)

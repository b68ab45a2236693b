"""The board of whoever runs the pipeline: is it behind, what did it refuse, what did it count once."""

from dashboards.panels.panel import Board

BOARD = Board(
    name="pipeline",
    title="Pipeline health",
    description="Whether the ledger is behind, what could not be taken, and what was reported more than once.",
    place=80,
    period="24h",
)

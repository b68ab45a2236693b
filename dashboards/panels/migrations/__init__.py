"""The board of who moves between models, what that does, and who still has to move."""

from dashboards.panels.panel import Board

BOARD = Board(
    name="migrations",
    title="Migrations and lifecycle",
    description="Which workloads moved from which model to which, what that did, and who is on a model that goes.",
    place=60,
    period="30d",
)

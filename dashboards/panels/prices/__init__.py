"""The board of whoever chooses among vendors by price."""

from dashboards.panels.panel import Board

BOARD = Board(
    name="prices",
    title="Price war",
    description="What models cost and did cost, what is really paid, and what price moves did to cost and traffic.",
    place=70,
    period="30d",
)

"""The board of how long calls take and how they end."""

from dashboards.panels.panel import Board

BOARD = Board(
    name="reliability",
    title="Latency and reliability",
    description="How long calls take, how soon they begin to answer, and how many of them fail.",
    place=50,
    period="7d",
)

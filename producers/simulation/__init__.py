"""A simulated company fleet: a seeded month of usage events, and the ground truth of what happened in it.

Pure: no clock, no Kafka, no files. `FleetSimulation.events()` gives the reports in the order in which they
would arrive, `FleetSimulation.story` what was planted, `expected_totals` an independent sum to hold a ledger to.
"""

from producers.simulation.simulation import FleetSimulation
from producers.simulation.story import Contributor, Control, Incident, Move, Story
from producers.simulation.totals import ExpectedTotals, TotalsTally, expected_totals

__all__ = [
    "Contributor",
    "Control",
    "ExpectedTotals",
    "FleetSimulation",
    "Incident",
    "Move",
    "Story",
    "TotalsTally",
    "expected_totals",
]

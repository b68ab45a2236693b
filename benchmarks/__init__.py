"""Measurements against the bars. `python -m benchmarks` prints them all; nothing here can fail on a slow machine."""

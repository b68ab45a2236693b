"""Grafana's side of the panels: dashboards and alert rules as the JSON that Grafana reads, and the way to push them.

What is made here follows from `dashboards.panels` and `dashboards.alerts` alone; the same definitions give the same
text. `python -m dashboards.grafana` writes it to `deploy/grafana`, where it is committed.
"""

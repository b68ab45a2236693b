"""Grafana's side: dashboards, alert rules, and the way to push them."""

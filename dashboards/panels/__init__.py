"""Panels as code: each question once, for Grafana and for the local page."""

"""Detectors: closed minutes of a tenant in, conditions out; and what makes signals of conditions. All of it pure."""

"""Telling people of signals, through apprise: which channel is told what, when, and in which words.

`routing`, `hours`, `schedule`, `news`, `text` and `rendering` decide and are pure; `outbox` remembers, `sending` sends,
and `notifier` puts them together.
"""

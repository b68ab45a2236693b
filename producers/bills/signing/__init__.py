"""The signatures that clouds ask of their callers: pure functions, each held to an example of its vendor."""

"""How people see usage: the local page."""

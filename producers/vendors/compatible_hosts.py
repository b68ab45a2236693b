"""The table of compatible hosts that need no module of their own: each one's quirks, one row a host.

Sources are named at the rows.
"""

from typing import Final

from producers.vendors.compatible import OPENAI, Habits, compatible

HOSTS: Final[dict[str, Habits]] = {
    "nvidia": OPENAI,
}

for _vendor, _habits in HOSTS.items():
    compatible(_vendor, _habits)

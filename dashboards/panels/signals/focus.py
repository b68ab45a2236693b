"""The one incident that the board tells of in detail: the one that was chosen, else the one that matters most.

What matters most of those of the period is what is still open, then the most severe, then the newest: what goes on
for months, as a retirement does, does not hide what has just begun. `FOCUS` is a common table expression, `focus`, of
one row or none.
"""

from typing import Final

from dashboards.panels.incident_sql import IN_PERIOD, SEVERITY_RANK
from dashboards.panels.variables import VARIABLES

WHICH: Final = (
    "It is the incident that was chosen; where none was, the newest of the most severe that are open."
)
"""For a description."""

FOCUS: Final = f"""
focus AS
(
    SELECT *
    FROM @ledger.incidents
    WHERE if(@incident = '', {IN_PERIOD}, incident = @incident)
    ORDER BY state != 'resolved' DESC, {SEVERITY_RANK} DESC, opened_at DESC, incident
    LIMIT 1
)"""

_NAMES: Final = (*VARIABLES, "operation", "service_tier")
IN_SCOPE: Final = " AND ".join(
    [
        "(SELECT count() FROM focus) > 0",
        *(
            f"(NOT mapContains(scope_of_focus, '{name}') OR {name} = scope_of_focus['{name}'])"
            for name in _NAMES
        ),
    ]
)
"""A row of usage lies in the scope of the incident; needs `SCOPE_OF_FOCUS` among the WITH expressions."""

SCOPE_OF_FOCUS: Final = "(SELECT any(scope) FROM focus) AS scope_of_focus"

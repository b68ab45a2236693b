"""The values offered for one variable: those that have calls in the period under what is chosen of the others.

So the choices cascade: with a vendor chosen, only its models are offered. What is chosen of the variable itself does
not narrow it, or nothing could be added to it.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from dashboards.panels.question import Choice, Query, statement
from dashboards.panels.variables import VARIABLES
from tokenweir.errors import WrongCall

OFFERED: Final = 50
_LONGEST_SEARCH: Final = 200


async def offered_values(
    name: str, search: str, choice: Choice, query: Query, now: datetime, *, database: str
) -> dict[str, Any]:
    """`values`: at most OFFERED, most calls first, each with its calls; `beyond`: how many more there are.

    search: a part of the value, any case. Raises WrongCall for a name that is no variable, and what `query` raises.
    """
    if name not in VARIABLES:
        raise WrongCall(f"there is no variable {name!r}", hint=f"Known are {', '.join(VARIABLES)}")
    if len(search) > _LONGEST_SEARCH:
        raise WrongCall(f"a search of more than {_LONGEST_SEARCH} characters")
    others = {key: values for key, values in choice.where.items() if key != name}
    # `name` is one of VARIABLES; everything else is bound.
    template = f"""
SELECT {name} AS value, sum(calls) AS all_calls, count() OVER () AS found
FROM @usage
WHERE @in_period AND @chosen AND positionCaseInsensitiveUTF8({name}, {{search:String}}) > 0
GROUP BY value
ORDER BY all_calls DESC, value
LIMIT {OFFERED}
"""  # noqa: S608
    asked = statement(template, replace(choice, where=others), now, database=database)
    rows = await query(asked.sql, {**asked.values, "search": search})
    found = int(rows[0]["found"]) if rows else 0
    return {
        "values": [{"value": str(row["value"]), "calls": int(row["all_calls"])} for row in rows],
        "beyond": found - len(rows),
    }

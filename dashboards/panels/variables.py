"""What a reader can choose beside the period: the fields by which every board is narrowed.

Each is a column of the ledger's usage views and, where a signal is about it, a name in its scope. Several values of one
variable are joined by "or", variables by "and". They are listed from the owner to the means; the values offered for
one are narrowed by what is chosen of the others.
"""

from typing import Final

VARIABLES: Final[dict[str, str]] = {
    "tenant": "Tenant",
    "team": "Team",
    "project": "Project",
    "service": "Service",
    "environment": "Environment",
    "vendor": "Vendor",
    "model": "Model",
    "region": "Region",
    "api_key": "API key",
}
"""By name, with the title."""

INCIDENT: Final = "incident"
"""What can be chosen besides: one incident, by its name in the ledger's `incidents`. It narrows no usage by itself;
a panel that has the slot `@incident` tells of it."""

GROUPS: Final[dict[str, str]] = {
    **VARIABLES,
    "operation": "Operation",
    "service_tier": "Service tier",
    "status": "Outcome",
}
"""What `@by` and `@then_by` can stand for."""

GROUPED_BY: Final = ("@by", "@then_by")
"""What a column of groups chooses: the variable that is grouped by, where GROUPS and VARIABLES share it."""

OTHERS: Final = "all others"
"""What the groups that are not named are called together. It chooses nothing."""

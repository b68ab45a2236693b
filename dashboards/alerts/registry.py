"""The registry of alert rules: a module of this package with a `RULE` is one."""

import importlib
import pkgutil
from functools import cache

import dashboards.alerts
from dashboards.alerts.rule import AlertRule


@cache
def rules() -> tuple[AlertRule, ...]:
    """All rules by group and name. Raises ValueError where two have the same name or title."""
    modules = [
        importlib.import_module(f"dashboards.alerts.{module.name}")
        for module in pkgutil.iter_modules(dashboards.alerts.__path__)
    ]
    found = [module.RULE for module in modules if isinstance(getattr(module, "RULE", None), AlertRule)]
    for what in ("name", "title"):
        values = [getattr(rule, what) for rule in found]
        if len(set(values)) != len(values):
            raise ValueError(f"two alert rules have the same {what}: {sorted(values)}")
    return tuple(sorted(found, key=lambda rule: (rule.group.name, rule.name)))

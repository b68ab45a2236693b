"""Alert rules as code: a module here with a `RULE` is a rule. Grafana evaluates them.

For each there is a runbook in `docs/runbooks`.
"""

"""Grafana's published JSON schemas, where they lie beside the repository.

Three places of the dashboard's schema say "object" where Grafana's own model says "anything", and every dashboard of
Grafana has texts and numbers there: `options` of a matcher, `value` of an override, the values in a variable's query
object. Only these are taken as "anything" here.
"""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

_OPTIONS = {
    "stat": "stat",
    "timeseries": "timeseries",
    "barchart": "barchart",
    "table": "table",
    "heatmap": "heatmap",
}


class Schemas:
    """The schemas of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        dashboard = self._read("dashboard")
        definitions = dashboard["definitions"]
        definitions["MatcherConfig"]["properties"]["options"] = {}
        definitions["DynamicConfigValue"]["properties"]["value"] = {}
        definitions["VariableModel"]["properties"]["query"] = {"type": ["string", "object"]}
        self._dashboard = Draft7Validator(dashboard)
        self._alerting = self._read("alerting")["definitions"]

    def _read(self, name: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self._folder / f"{name}.jsonschema.json").read_text())
        return document

    def check_dashboard(self, dashboard: object) -> None:
        """Raises jsonschema's error, with the place, where it does not fit."""
        self._dashboard.validate(dashboard)

    def check_panel(self, panel: Any) -> None:
        """The same for a panel's options and its own field configuration, by its type."""
        definitions = self._read(panel["type"])["definitions"]
        self._of(definitions, "Options").validate(panel["options"])
        if "FieldConfig" in definitions:
            self._of(definitions, "FieldConfig").validate(panel["fieldConfig"]["defaults"]["custom"])

    def check_alerting(self, name: str, document: object) -> None:
        """The same for a definition of the alerting schema: Rule, RuleGroup, ContactPoint…"""
        self._of(self._alerting, name).validate(document)

    @staticmethod
    def _of(definitions: dict[str, Any], name: str) -> Draft7Validator:
        return Draft7Validator({"$ref": f"#/definitions/{name}", "definitions": definitions})

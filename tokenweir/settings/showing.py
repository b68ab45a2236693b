"""Settings of what shows usage: Grafana."""

from pydantic import Field, SecretStr

from tokenweir.settings.group import Positive, SettingsGroup


class GrafanaSettings(SettingsGroup):
    """The Grafana that `weir grafana` pushes dashboards and alert rules to."""

    url: str = Field(
        default="http://127.0.0.1:3000",
        pattern=r"^https?://[^@]+$",
        description="its address, with the path where it has one, without a user",
    )
    token: SecretStr = Field(
        default=SecretStr(""), description="of a service account that may write dashboards and alert rules"
    )
    timeout_seconds: Positive = Field(default=10.0, description="how long an answer may take")
    reader_dsn: SecretStr = Field(
        default=SecretStr(""),
        description="the ledger as Grafana reaches it: clickhouse://reader:password@host:8123; "
        "empty leaves the data source alone",
    )
    alert_addresses: str = Field(
        default="",
        description="e-mail addresses that are told of alerts, with semicolons between them; empty leaves the "
        "contact point alone",
    )
    runbooks_url: str = Field(
        default="docs/runbooks/",
        description="where an alert says that its runbook is, before the file's name",
    )

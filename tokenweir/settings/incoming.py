"""Settings of what brings usage in: the emitter, the gateway, vendors' own reports."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from tokenweir.settings.group import Port, Positive, SettingsGroup


class EmitterSettings(SettingsGroup):
    """The emitter inside an application, as `Emitter.from_environment` makes it."""

    source: str = Field(
        default="emitter", min_length=1, description="who reports what does not say so itself"
    )
    linger_seconds: Positive = Field(
        default=0.1, description="how long an event may wait for others of its workload"
    )
    max_pending_events: int = Field(default=100_000, ge=1, description="what may wait in memory")
    max_pending_bytes: int = Field(
        default=64 * 1024 * 1024, ge=1, description="what may wait in memory, by size"
    )
    exit_timeout_seconds: Positive = Field(
        default=5.0, description="how long the end of the process may wait for Kafka"
    )
    record_failures: bool = Field(
        default=False, description="whether calls that failed and were not billed have events"
    )
    spool_dir: Path | None = Field(
        default=None,
        description="a local directory for what Kafka has not confirmed; none keeps it in memory",
    )
    spool_max_bytes: int = Field(
        default=1024 * 1024 * 1024, ge=1, description="the most that one emitter keeps on disk"
    )
    spool_keep: Literal["oldest", "newest"] = Field(
        default="oldest", description="which events stay when that is not enough"
    )
    spool_after_seconds: float = Field(
        default=0.0, ge=0, description="how long Kafka is given before an event is written to disk"
    )


class GatewaySettings(SettingsGroup):
    """The HTTP way in."""

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: Port = Field(default=4318, description="0 takes a free one")
    token: SecretStr = Field(default=SecretStr(""), description="asked of every sender; empty asks none")
    tokens: dict[str, SecretStr] = Field(
        default={}, description="a token for each source, by the source's name; beside `token`"
    )
    attribution: dict[str, dict[str, str]] = Field(
        default={},
        description="fields that a source of `tokens` fixes, whatever it sends: tenant, source, team, project…",
    )
    requests_per_second: float = Field(
        default=0.0,
        ge=0,
        description="how often a source, or an address without one, may send; 0 for no limit",
    )
    bytes_per_second: float = Field(
        default=0.0, ge=0, description="how much it may send, as it comes; 0 for no limit"
    )
    max_body_bytes: int = Field(
        default=16 * 1024 * 1024, ge=1024, description="the most that a request may hold, packed and unpacked"
    )
    header_timeout_seconds: Positive = Field(
        default=10.0, description="how long a new connection may take to send its first request's headers"
    )
    body_timeout_seconds: Positive = Field(default=30.0, description="how long a request's body may take")
    max_connections: int = Field(
        default=2_000, ge=1, description="past so many, those without a request in hand are closed"
    )
    agent_usage: Literal["logs", "metrics"] = Field(
        default="logs",
        description="what of Claude Code's and Gemini CLI's OTLP is counted; both would count every call twice",
    )


class BillsSettings(SettingsGroup):
    """An account at a vendor whose own reports `weir bills poll` reads; a group for each, under a name of yours."""

    vendor: str = Field(min_length=1, description="openai, anthropic, aws…; `weir bills reports` lists them")
    tenant: str = Field(default="default", min_length=1, description="whose ledger the bills belong to")
    key: SecretStr = Field(
        default=SecretStr(""), description="the vendor's admin or management key, or the secret of a pair"
    )
    key_id: SecretStr = Field(default=SecretStr(""), description="the other half of a pair")
    session_token: SecretStr = Field(default=SecretStr(""), description="of temporary AWS credentials")
    vendor_account: str = Field(
        default="",
        description="the vendor's id of a team, account, project, workspace or "
        "plan, where its reports want one",
    )
    region: str = Field(default="", description="of the vendor, where it has several")
    base_url: str = Field(default="", pattern=r"^(https?://.+)?$", description="in place of the vendor's own")
    reports: list[str] = Field(default=[], description="which reports; none takes the vendor's usual ones")
    resources: list[str] = Field(
        default=[], description="ids of endpoints, services or keys, where reports are asked for each"
    )
    settle_days: int | None = Field(
        default=None,
        ge=0,
        le=366,
        description="how many past days are read again; none takes what suits the vendor",
    )
    labels: dict[str, str] = Field(
        default={},
        description="the vendor's ids of keys, projects, workspaces and users, each with your name of it",
    )

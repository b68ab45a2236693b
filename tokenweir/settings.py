"""One settings model for every command and worker: `tokenweir.toml`, then `TOKENWEIR_*`, then flags.

The later source wins. A nested name is written with two underscores: `TOKENWEIR_KAFKA__BOOTSTRAP_SERVERS`.
Secrets are `SecretStr`, so that they never show in a log or an error.
"""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from tokenweir.errors import WrongCall
from tokenweir.usage.event import GROUP_FIELDS

SETTINGS_FILE = Path("tokenweir.toml")

Port = Annotated[int, Field(ge=0, le=65535)]
Positive = Annotated[float, Field(gt=0)]


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid")


class KafkaSettings(_Group):
    """How to reach Kafka, and how our topics are named and made."""

    bootstrap_servers: str = Field(
        default="127.0.0.1:9092", min_length=1, description="host:port, comma-separated"
    )
    topic_prefix: str = Field(default="tokenweir.", description="put before every topic's name")
    partitions: int | None = Field(
        default=None, ge=1, description="for all topics, in place of their own number"
    )
    replication_factor: int = Field(
        default=1, ge=1, description="copies of each topic that is created; 3 on a real cluster"
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="with or without TLS and login"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        default=None, description="how to log in; needed with SASL"
    )
    sasl_username: str = ""
    sasl_password: SecretStr = SecretStr("")
    ssl_cafile: Path | None = Field(
        default=None, description="certificates to trust; without it the system's own"
    )
    ssl_certfile: Path | None = Field(
        default=None, description="the client's certificate, where Kafka asks for one"
    )
    ssl_keyfile: Path | None = Field(default=None, description="the key of that certificate")
    compression: Literal["lz4", "zstd", "gzip", "none"] = Field(
        default="lz4", description="of what is sent to Kafka"
    )
    session_timeout_seconds: Positive = Field(
        default=30.0, description="after so long a silence Kafka takes a worker for dead"
    )
    rebalance_timeout_seconds: Positive = Field(
        default=60.0, description="how long workers have to join again when one comes or goes"
    )


class ClickHouseSettings(_Group):
    """Where the ledger is."""

    dsn: SecretStr = Field(
        default=SecretStr(""),
        description="clickhouse://user:password@host:port, clickhouses:// for TLS, or chdb:///directory; "
        "empty means the embedded ledger in local.data_dir",
    )
    database: str = Field(
        default="tokenweir", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="the ledger's own"
    )
    cluster: str = Field(default="", description="name of the cluster; empty for one server")
    flush_events: int = Field(default=100_000, ge=1, description="write a block at so many events")
    flush_seconds: Positive = Field(default=1.0, description="write a block at least so often")
    insert_timeout_seconds: Positive = Field(
        default=60.0, description="after so long an insert is given up and offered again"
    )


class PricingSettings(_Group):
    """Where prices come from beside the built-in feed."""

    overlay: Path | None = Field(
        default=None, description="a price file of the company's own, over the built-in"
    )
    recorded: Path | None = Field(
        default=None,
        description="where `weir prices update` keeps what it appends; none means `prices` in the data directory",
    )
    cache_dir: Path | None = Field(
        default=None,
        description="where the built-in prices are kept in the form that is read fast, which may be lost at any time; "
        "none means the user's cache directory",
    )

    def recorded_in(self, data_dir: Path) -> Path:
        """The folder of recorded updates, for what runs on this data directory."""
        return self.recorded or data_dir / "prices"


class EmitterSettings(_Group):
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


class GatewaySettings(_Group):
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


class WorkerSettings(_Group):
    """A stream worker."""

    metrics_host: str = Field(default="127.0.0.1", description="address of /health and /metrics")
    metrics_port: Port = Field(default=0, description="for /health and /metrics; 0 takes a free one")
    state_dir: Path = Field(default=Path(".tokenweir/worker"), description="Faust's own files")


class BudgetSettings(_Group):
    """What some spend may come to in a period; a group for each budget, under a name of yours."""

    amount_usd: Decimal = Field(gt=0, allow_inf_nan=False, description="USD a period")
    scope: dict[str, str] = Field(
        default={},
        description="whose spend counts, by names of fields: team, project, service, environment, api_key, vendor, "
        "model, region, operation, service_tier, tenant; without a tenant each tenant has the budget for itself",
    )
    period: Literal["day", "week", "month", "quarter"] = Field(
        default="month", description="a week begins on Monday"
    )
    time_zone: str = Field(default="UTC", description="in which the period begins at midnight: Europe/Berlin")
    thresholds_percent: list[Annotated[float, Field(gt=0, le=10_000)]] = Field(
        default=[50, 80, 100], description="what is told when so much of it is spent"
    )
    forecast: bool = Field(
        default=True, description="whether it is told that a threshold of 100 or more is going to be passed"
    )
    burn_rate: bool = Field(
        default=True, description="whether it is told that it is being spent far too fast"
    )

    @field_validator("scope")
    @classmethod
    def _are_fields(cls, scope: dict[str, str]) -> dict[str, str]:
        for name in scope:
            if name not in GROUP_FIELDS:
                raise ValueError(f"{name!r} is no field to budget by; take one of {', '.join(GROUP_FIELDS)}")
        return scope

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"no time zone is called {name!r}; write it as Europe/Berlin or UTC") from error
        return name


class DetectionSettings(_Group):
    """What makes signals of the minutes: how long a minute is waited for, and how often state is kept."""

    close_after_seconds: Positive = Field(
        default=10.0, description="a minute is closed so long after its end; what comes later is late"
    )
    hold_seconds: Positive = Field(
        default=5.0,
        description="a minute that was over before it was heard of (a backlog, a replay) is closed so long after that",
    )
    early_seconds: Positive = Field(
        default=5.0, description="how often the open minute is looked at for what may not wait"
    )
    checkpoint_seconds: Positive = Field(
        default=120.0,
        description="how often a tenant's state is kept; what came since is read again after a restart",
    )
    spike_min_usd_per_day: float = Field(
        default=1.0, ge=0, description="a spike or a silence that is worth less a day is not told"
    )
    spike_share_of_spend: float = Field(
        default=0.03, ge=0, le=1, description="nor one that is worth less than this share of the usual spend"
    )
    spike_critical_usd_per_day: float = Field(
        default=500.0, gt=0, description="from so much a day, or half of the usual spend, it is critical"
    )
    forget_days: int = Field(
        default=35, ge=1, le=366, description="a tenant that is silent for longer begins anew"
    )
    budgets: dict[str, BudgetSettings] = Field(
        default={}, description="what spend is held to, each a group `[detection.budgets.NAME]`"
    )


class ChannelSettings(_Group):
    """A channel on which people are told of signals; a group for each, under a name of yours."""

    url: SecretStr = Field(
        description="the service, as apprise writes it: slack://…, mailtos://…, pagerduty://…, json://…"
    )
    kinds: list[str] = Field(
        default=[], description="only these kinds of signals; a star stands for anything"
    )
    scope: dict[str, list[str]] = Field(
        default={},
        description="only where these fields of the scope (tenant, team, vendor…) have one of these values",
    )
    severity: Literal["info", "warning", "critical"] = Field(
        default="warning", description="the least that is told"
    )
    states: list[Literal["open", "update", "resolved"]] = Field(
        default=["open", "update", "resolved"], min_length=1, description="what of an incident is told"
    )
    hours: str = Field(
        default="",
        description="when, as `Mon-Fri 08:00-18:00`; what comes at other times waits; empty for always",
    )
    time_zone: str = Field(default="UTC", min_length=1, description="of the hours, as `Europe/Berlin`")
    max_messages_per_hour: int = Field(
        default=20, ge=1, description="what is over it waits, and comes as one message"
    )
    one_per_incident: bool = Field(
        default=False, description="whether each incident has messages of its own, for services that page"
    )
    format: Literal["text", "markdown", "html"] | None = Field(
        default=None, description="of the message; none takes what suits the service"
    )


class NotificationSettings(_Group):
    """Telling people of signals. The channels are `[notifications.channels.NAME]`."""

    group_seconds: float = Field(
        default=10.0, ge=0, description="signals that come within so long are one message"
    )
    link: str = Field(
        default="",
        pattern=r"^(https?://.+)?$",
        description="where an incident is looked at; {incident}, {fingerprint}, {kind} and {tenant} are filled in",
    )
    failures_before_signal: int = Field(
        default=3, ge=1, description="a channel that fails so often in a row is told of on the others"
    )
    max_age_hours: Positive = Field(
        default=24.0, description="an incident that was seen longer ago is no news any more"
    )
    state_dir: Path | None = Field(
        default=None,
        description="what waits and what was told, which must outlive the worker; "
        "none means `notifications` in the data directory",
    )
    channels: Annotated[dict[str, ChannelSettings], BeforeValidator(lambda given: given or {})] = Field(
        default={}, description="by name; null for none"
    )

    def state_in(self, data_dir: Path) -> Path:
        """Where what was told is remembered, for what runs on this data directory."""
        return self.state_dir or data_dir / "notifications"


class BillsSettings(_Group):
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


class LocalSettings(_Group):
    """The embedded run."""

    data_dir: Path = Field(default=Path(".tokenweir"), description="where `weir up` keeps its ledger")
    host: str = Field(default="127.0.0.1", description="address of page, gateway and SQL")
    port: Port = Field(default=8765, description="page and gateway; 0 takes a free one")
    clickhouse_port: Port = Field(default=8124, description="ClickHouse's HTTP interface; 0 takes a free one")


class Settings(BaseSettings):
    """All settings. Every field can be set in the file or in the environment; commands have flags for some."""

    model_config = SettingsConfigDict(
        env_prefix="TOKENWEIR_",
        env_nested_delimiter="__",
        toml_file=SETTINGS_FILE,
        extra="forbid",
    )

    kafka: KafkaSettings = KafkaSettings()
    clickhouse: ClickHouseSettings = ClickHouseSettings()
    pricing: PricingSettings = PricingSettings()
    emitter: EmitterSettings = EmitterSettings()
    gateway: GatewaySettings = GatewaySettings()
    worker: WorkerSettings = WorkerSettings()
    detection: DetectionSettings = DetectionSettings()
    notifications: NotificationSettings = NotificationSettings()
    local: LocalSettings = LocalSettings()
    bills: dict[str, BillsSettings] = Field(
        default={}, description="accounts whose own reports are read, each a group"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="of what workers and servers write to standard error"
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="lines for people or for programs"
    )

    @property
    def recorded_prices(self) -> Path:
        """The folder of the price updates that `weir prices update` has appended."""
        return self.pricing.recorded_in(self.local.data_dir)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags first, then the environment, then the file."""
        try:
            file_settings = TomlConfigSettingsSource(settings_cls)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise WrongCall(
                f"the settings file {SETTINGS_FILE} cannot be read: {error}",
                hint="Mend it, or move it out of the way",
            ) from error
        return init_settings, env_settings, file_settings


def topic_name(settings: KafkaSettings, name: str) -> str:
    """The full name of a topic of `tokenweir.topics` in this installation."""
    return settings.topic_prefix + name


def client_security(settings: KafkaSettings) -> dict[str, Any]:
    """The keyword arguments that make a kafka-python client speak to this cluster securely."""
    options: dict[str, Any] = {"security_protocol": settings.security_protocol}
    if settings.sasl_mechanism:
        options["sasl_mechanism"] = settings.sasl_mechanism
        options["sasl_plain_username"] = settings.sasl_username
        options["sasl_plain_password"] = settings.sasl_password.get_secret_value()
    for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile"):
        path = getattr(settings, name)
        if path is not None:
            options[name] = str(path)
    return options

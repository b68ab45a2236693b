"""One settings model for every command and worker: `tokenweir.toml`, then `TOKENWEIR_*`, then flags.

The later source wins. A nested name is written with two underscores: `TOKENWEIR_KAFKA__BOOTSTRAP_SERVERS`.
Secrets are `SecretStr`, so that they never show in a log or an error.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

SETTINGS_FILE = Path("tokenweir.toml")

Port = Annotated[int, Field(ge=0, le=65535)]
Positive = Annotated[float, Field(gt=0)]


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid")


class KafkaSettings(_Group):
    """How to reach Kafka, and how our topics are named and made."""

    bootstrap_servers: str = Field(default="127.0.0.1:9092", description="host:port, comma-separated")
    topic_prefix: str = Field(default="tokenweir.", description="put before every topic's name")
    partitions: int | None = Field(
        default=None, ge=1, description="for all topics, in place of their own number"
    )
    replication_factor: int = Field(default=1, ge=1)
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    sasl_username: str = ""
    sasl_password: SecretStr = SecretStr("")
    ssl_cafile: Path | None = None
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    compression: Literal["lz4", "zstd", "gzip", "none"] = "lz4"
    session_timeout_seconds: Positive = 30.0
    rebalance_timeout_seconds: Positive = 60.0


class ClickHouseSettings(_Group):
    """Where the ledger is."""

    dsn: SecretStr = Field(
        default=SecretStr(""),
        description="clickhouse://user:password@host:port, clickhouses:// for TLS, or chdb:///directory; "
        "empty means the embedded ledger in local.data_dir",
    )
    database: str = Field(default="tokenweir", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    cluster: str = Field(default="", description="name of the cluster; empty for one server")
    flush_events: int = Field(default=50_000, ge=1, description="write a block at so many events")
    flush_seconds: Positive = Field(default=1.0, description="write a block at least so often")
    insert_timeout_seconds: Positive = 60.0


class PricingSettings(_Group):
    """Where prices come from beside the built-in feed."""

    overlay: Path | None = Field(
        default=None, description="a price file of the company's own, over the built-in"
    )


class GatewaySettings(_Group):
    """The HTTP way in."""

    host: str = "127.0.0.1"
    port: Port = 4318
    token: SecretStr = Field(default=SecretStr(""), description="asked of every sender; empty asks none")
    max_body_bytes: int = Field(default=16 * 1024 * 1024, ge=1024)


class WorkerSettings(_Group):
    """A stream worker."""

    metrics_host: str = "127.0.0.1"
    metrics_port: Port = Field(default=0, description="for /health and /metrics; 0 takes a free one")
    state_dir: Path = Field(default=Path(".tokenweir/worker"), description="Faust's own files")


class LocalSettings(_Group):
    """The embedded run."""

    data_dir: Path = Field(default=Path(".tokenweir"), description="where `weir up` keeps its ledger")
    host: str = "127.0.0.1"
    port: Port = Field(default=8765, description="page and gateway; 0 takes a free one")
    clickhouse_port: Port = Field(default=8124, description="ClickHouse's HTTP interface; 0 takes a free one")


class Settings(BaseSettings):
    """All settings. Every field can be set in the file, in the environment, or by a flag that names it."""

    model_config = SettingsConfigDict(
        env_prefix="TOKENWEIR_",
        env_nested_delimiter="__",
        toml_file=SETTINGS_FILE,
        extra="forbid",
    )

    kafka: KafkaSettings = KafkaSettings()
    clickhouse: ClickHouseSettings = ClickHouseSettings()
    pricing: PricingSettings = PricingSettings()
    gateway: GatewaySettings = GatewaySettings()
    worker: WorkerSettings = WorkerSettings()
    local: LocalSettings = LocalSettings()
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"

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
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


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

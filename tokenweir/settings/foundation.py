"""Settings of what every part reaches or runs on: Kafka, the ledger, prices, workers, the embedded run."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from tokenweir.settings.group import Port, Positive, SettingsGroup


class KafkaSettings(SettingsGroup):
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


class ClickHouseSettings(SettingsGroup):
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


class PricingSettings(SettingsGroup):
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


class WorkerSettings(SettingsGroup):
    """A stream worker."""

    metrics_host: str = Field(default="127.0.0.1", description="address of /health and /metrics")
    metrics_port: Port = Field(default=0, description="for /health and /metrics; 0 takes a free one")
    state_dir: Path = Field(default=Path(".tokenweir/worker"), description="Faust's own files")


class LocalSettings(SettingsGroup):
    """The embedded run."""

    data_dir: Path = Field(default=Path(".tokenweir"), description="where `weir up` keeps its ledger")
    host: str = Field(default="127.0.0.1", description="address of page, gateway and SQL")
    port: Port = Field(default=8765, description="page and gateway; 0 takes a free one")
    clickhouse_port: Port = Field(default=8124, description="ClickHouse's HTTP interface; 0 takes a free one")

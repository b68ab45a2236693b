"""One settings model for every command and worker: `tokenweir.toml`, then `TOKENWEIR_*`, then flags.

The later source wins. A nested name is written with two underscores: `TOKENWEIR_KAFKA__BOOTSTRAP_SERVERS`.
Secrets are `SecretStr`, so that they never show in a log or an error.
"""

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from tokenweir.errors import WrongCall
from tokenweir.settings.foundation import (
    ClickHouseSettings,
    KafkaSettings,
    LocalSettings,
    PricingSettings,
    WorkerSettings,
)
from tokenweir.settings.incoming import BillsSettings, EmitterSettings, GatewaySettings
from tokenweir.settings.showing import GrafanaSettings
from tokenweir.settings.watching import (
    BudgetSettings,
    ChannelSettings,
    DetectionSettings,
    NotificationSettings,
)

__all__ = [
    "SETTINGS_FILE",
    "BillsSettings",
    "BudgetSettings",
    "ChannelSettings",
    "ClickHouseSettings",
    "DetectionSettings",
    "EmitterSettings",
    "GatewaySettings",
    "GrafanaSettings",
    "KafkaSettings",
    "LocalSettings",
    "NotificationSettings",
    "PricingSettings",
    "Settings",
    "WorkerSettings",
    "client_security",
    "topic_name",
]

SETTINGS_FILE = Path("tokenweir.toml")


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
    grafana: GrafanaSettings = GrafanaSettings()
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

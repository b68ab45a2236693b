"""Settings of what watches: detection, budgets, and who is told."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, SecretStr, field_validator

from tokenweir.settings.group import Positive, SettingsGroup
from tokenweir.usage.event import GROUP_FIELDS


class BudgetSettings(SettingsGroup):
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


class DetectionSettings(SettingsGroup):
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
    unpriced_share: float = Field(
        default=0.01, gt=0, le=1, description="told is when so much of a day's calls has no price, as 0.01"
    )
    rejects_share: float = Field(
        default=0.01, gt=0, le=1, description="told is when so much of a tenant's lines is refused, as 0.01"
    )
    rejects_min_lines: int = Field(
        default=30, ge=1, description="fewer refused lines than that are not told, whatever their share"
    )
    forget_days: int = Field(
        default=35, ge=1, le=366, description="a tenant that is silent for longer begins anew"
    )
    most_names: int = Field(
        default=10_000,
        ge=100,
        description="services, models, API keys and other names of a field that detectors tell apart in a tenant; "
        "the calls of further ones count for the name `(other)`",
    )
    budgets: dict[str, BudgetSettings] = Field(
        default={}, description="what spend is held to, each a group `[detection.budgets.NAME]`"
    )


class ChannelSettings(SettingsGroup):
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


class NotificationSettings(SettingsGroup):
    """Telling people of signals. The channels are `[notifications.channels.NAME]`."""

    group_seconds: float = Field(
        default=10.0, ge=0, description="signals that come within so long are one message"
    )
    link: str = Field(
        default="",
        pattern=r"^(https?://.+)?$",
        description="where an incident is looked at; {incident}, {fingerprint}, {kind} and {tenant} are filled in; "
        "empty means the page of `weir up`, and nowhere on a cluster",
    )
    runbook: str = Field(
        default="",
        pattern=r"^(https?://.+)?$",
        description="where it is written what to do about a {kind} of signal; empty for nowhere",
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

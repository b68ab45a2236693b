"""What can go wrong with a Grafana, by type."""

from tokenweir.errors import TokenweirError


class GrafanaUnavailable(TokenweirError):
    """Nothing answers, or not in time, or with a fault of its own. Asking again may help."""


class GrafanaRefused(TokenweirError):
    """The token is not taken, or may not do this."""


class GrafanaConflict(TokenweirError):
    """It would overwrite what somebody else did, or Grafana says that somebody was faster."""


class GrafanaRejected(TokenweirError):
    """Grafana does not take what was sent: a form that it does not know, a name that is missing."""


class GrafanaUnfit(TokenweirError):
    """It is no Grafana that the dashboards are for: too old, or without the data source's plugin."""

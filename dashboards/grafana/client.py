"""One Grafana over its HTTP API: grafana-client's calls, with its failures as ours. Thin on purpose.

What is not there is None, not an error. Whatever else Grafana answers is raised as one of
`dashboards.grafana.failures`, with Grafana's own sentence in it and never the token.
"""

from collections.abc import Callable
from typing import Any, Final, Self

from grafana_client.api import GrafanaApi
from grafana_client.client import (
    GrafanaClientError,
    GrafanaException,
    GrafanaServerError,
    GrafanaTimeoutError,
)
from niquests.exceptions import JSONDecodeError, RequestException

from dashboards.grafana.failures import (
    GrafanaConflict,
    GrafanaRefused,
    GrafanaRejected,
    GrafanaUnavailable,
    GrafanaUnfit,
)
from dashboards.grafana.model import CLICKHOUSE_PLUGIN
from tokenweir.errors import WrongCall
from tokenweir.settings import GrafanaSettings

OLDEST: Final = (11, 0)
"""The oldest Grafana that the dashboards are for: rules that name their contact point came with it."""


class Grafana:
    """A Grafana, with a service account's token. A context, at whose end its connections are closed."""

    def __init__(self, settings: GrafanaSettings) -> None:
        """Asks nothing yet. Raises WrongCall without a token."""
        token = settings.token.get_secret_value()
        if not token:
            raise WrongCall(
                "no token for Grafana is set",
                hint="Make a service account with the role Admin in Grafana and set TOKENWEIR_GRAFANA__TOKEN",
            )
        self.url = settings.url.rstrip("/")
        # grafana-client puts a path and `api` together as they are.
        self.api: Any = GrafanaApi.from_url(
            f"{self.url}/", credential=token, timeout=settings.timeout_seconds
        )
        self._timeout_seconds = settings.timeout_seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.api.client.s.close()

    def check(self) -> None:
        """Whether this is a Grafana that the dashboards are for. Raises GrafanaUnfit, and what `ask` raises."""
        health = self.ask(self.api.client.GET, "the version", "/health")
        version = str((health or {}).get("version", ""))
        number = tuple(int(part) for part in version.split("-")[0].split(".")[:2] if part.isdigit())
        # A Grafana that hides its version from strangers says none.
        if number and number < OLDEST:
            raise GrafanaUnfit(
                f"{self.url} is Grafana {version}", hint=f"The dashboards are for {OLDEST[0]}.0 and newer"
            )
        plugins = self.ask(self.api.plugin.list, "the plugins") or []
        if not any(plugin.get("id") == CLICKHOUSE_PLUGIN for plugin in plugins):
            raise GrafanaUnfit(
                f"{self.url} has no plugin {CLICKHOUSE_PLUGIN}",
                hint=f"Install it: GF_PLUGINS_PREINSTALL={CLICKHOUSE_PLUGIN}, or Administration, Plugins",
            )

    def query(self, body: dict[str, Any]) -> Any:
        """What the data sources answer. A query that fails is part of the answer, whatever the status."""
        try:
            return self.api.client.POST("/ds/query", json=body)
        except (GrafanaClientError, GrafanaServerError) as failure:
            if isinstance(failure.response, dict) and "results" in failure.response:
                return failure.response
            raise

    def ask(self, call: Callable[..., Any], what: str, *arguments: Any, **options: Any) -> Any:
        """What Grafana answers to one call of grafana-client; None where there is no such thing.

        what: what it is about, for the error. Raises one of `dashboards.grafana.failures`.
        """
        try:
            return call(*arguments, **options)
        except GrafanaTimeoutError as failure:
            raise GrafanaUnavailable(
                f"{self.url} did not answer within {self._timeout_seconds:g} s: {what}",
                hint="Try again; grafana.timeout_seconds says how long is waited",
            ) from failure
        except GrafanaServerError as failure:
            raise GrafanaUnavailable(
                f"Grafana failed with status {failure.status_code} on {what}: {_sentence(failure)}",
                hint="Its log says why; then push again, which is safe to repeat",
            ) from failure
        except GrafanaClientError as failure:
            if failure.status_code == 404:
                return None
            raise self._of(failure, what) from failure
        except JSONDecodeError as failure:
            raise GrafanaUnavailable(
                f"{self.url} does not answer as Grafana does: {what}",
                hint="Look whether grafana.url is its address, with its path",
            ) from failure
        except (RequestException, GrafanaException, OSError) as failure:
            raise GrafanaUnavailable(
                f"no Grafana answers at {self.url}", hint="Look at grafana.url, and whether it is up"
            ) from failure

    def _of(self, failure: GrafanaClientError, what: str) -> Exception:
        status, sentence = failure.status_code, _sentence(failure)
        if status == 401:
            return GrafanaRefused(
                f"{self.url} does not take the token", hint="Make a new one and set TOKENWEIR_GRAFANA__TOKEN"
            )
        if status == 403:
            return GrafanaRefused(
                f"the token may not do this: {what}: {sentence}",
                hint="Give its service account the role Admin",
            )
        if status in (409, 412):
            return GrafanaConflict(
                f"{what} was changed meanwhile: {sentence}",
                hint="Look with `weir grafana diff`, then push again",
            )
        return GrafanaRejected(f"Grafana does not take {what} (status {status}): {sentence}")


def _sentence(failure: GrafanaException) -> str:
    answer = failure.response
    if isinstance(answer, dict):
        return str(answer.get("message") or answer.get("error") or answer)[:500]
    return str(answer)[:500]

"""boto3's client for `bedrock-runtime`: Converse, ConverseStream, InvokeModel and InvokeModelWithResponseStream.

Hooked is botocore's own event system (`client.meta.events`): `before-call`, `after-call` and `after-call-error` stand
around a call with all its attempts and share one context, in which the observation travels. A body that is still to be
read is observed where the application reads it, at the urllib3 response below botocore's `StreamingBody` and
`EventStream`, which stay what they are.
Source: botocore 1.44 (`client.py`, `response.py`, `eventstream.py`), urllib3 2.
Limits: attempts that failed before the last are counted, and have no events of their own. Asynchronous invocations and
bidirectional streams are not observed. Counts of a stream that was abandoned stay unknown, as it states them last.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from producers.instrumentation.bedrock_answers import bedrock_envelope
from producers.instrumentation.observation import Observation
from producers.instrumentation.observer import Observer, SeenRequest
from producers.instrumentation.raw_response import observe_raw
from producers.instrumentation.registry import client_library
from tokenweir.errors import WrongCall

_SERVICE: Final = "bedrock-runtime"
_OBSERVATION: Final = "tokenweir_observation"
"""Under which a call's context carries its observation."""
_UNIQUE_ID: Final = "tokenweir-{event}"
_EVENTS: Final = ("before-call", "after-call", "after-call-error")


@client_library("botocore", vendor="aws")
class BedrockHooks:
    """For `producers.instrumentation.registry`."""

    def install(self, client: Any, observer: Observer) -> None:
        service = client.meta.service_model.service_name
        if service != _SERVICE:
            raise WrongCall(
                f"a boto3 client of {service} makes no calls to models",
                hint=f"Instrument the client of {_SERVICE}",
            )
        self.remove(client)
        observer = replace(observer, vendor=observer.vendor or "aws", region=client.meta.region_name or "")
        handlers: Mapping[str, Callable[..., None]] = {
            "before-call": partial(_before_call, observer),
            "after-call": _after_call,
            "after-call-error": _after_call_error,
        }
        for event, handler in handlers.items():
            client.meta.events.register(
                f"{event}.{_SERVICE}", handler, unique_id=_UNIQUE_ID.format(event=event)
            )

    def remove(self, client: Any) -> None:
        for event in _EVENTS:
            client.meta.events.unregister(f"{event}.{_SERVICE}", unique_id=_UNIQUE_ID.format(event=event))


def _before_call(observer: Observer, *, params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
    observation = observer.begin(partial(_seen, params, context))
    if observation is not None:
        context[_OBSERVATION] = observation


def _seen(params: Mapping[str, Any], context: Mapping[str, Any]) -> SeenRequest:
    url = urlsplit(params["url"])
    return SeenRequest(
        method=params["method"],
        host=url.hostname or "",
        port=url.port,
        path=url.path,
        words=dict,
        identify=lambda: id(context),
        retries=0,
    )


def _after_call_error(*, exception: BaseException, context: dict[str, Any], **_: Any) -> None:
    observation = context.pop(_OBSERVATION, None)
    if observation is not None:
        observation.failed(exception)


def _after_call(
    *, http_response: Any, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any
) -> None:
    observation = context.pop(_OBSERVATION, None)
    if observation is None:
        return
    try:
        _respond(observation, http_response, parsed, model.name)
    except Exception:  # noqa: BLE001 - the boundary to the application, which must never feel us
        observation.spoil()


def _respond(observation: Observation, http_response: Any, parsed: dict[str, Any], operation: str) -> None:
    metadata = parsed.get("ResponseMetadata", {})
    observation.attempted(metadata.get("RetryAttempts", 0) + 1)
    if http_response.status_code >= 300:
        observation.refused(http_response.status_code, code=parsed.get("Error", {}).get("Code", ""))
    elif operation == "Converse":
        observation.answered(dict(parsed))
    elif operation in ("ConverseStream", "InvokeModel", "InvokeModelWithResponseStream"):
        headers = http_response.headers
        content_type = headers.get("content-type", "")
        observation.opened(content_type, envelope=bedrock_envelope(headers))
        length = headers.get("content-length", "")
        observe_raw(http_response.raw, observation, int(length) if length.isdecimal() else None)
    else:
        observation.dismissed()

"""What is observed of an instrumented client, and for whom: from a request to its observation.

An observer belongs to one client. It knows which requests are billed calls, who bills them, and where they are
reported to.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, Final, Protocol, Unpack

from producers.delivery.bounded_log import BoundedLog
from producers.emitter.call import Call
from producers.emitter.reports import CallFields
from producers.instrumentation import attempts
from producers.instrumentation.observation import Envelope, Observation
from producers.instrumentation.operations import Operation, operation_of
from producers.vendors.endpoints import region_of_url, vendor_of_host

_ANSWER_IN_BYTES: Final = ("speech", "transcription")

_said: Final = BoundedLog(logging.getLogger(__name__))


class Reporting(Protocol):
    """What calls are reported to: the emitter, or anything else that makes a `Call`. Does not raise."""

    def call(
        self,
        *,
        vendor: str,
        model: str = "",
        surface: str | None = None,
        record_failures: bool | None = None,
        **fields: Unpack[CallFields],
    ) -> Call:
        """As `Emitter.call`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRequest:
    """A request that is about to be sent.

    words: the request's own words for what is asked, by name; called only for a request that is observed.
    identify: what is equal for all attempts of one call. retries: how many attempts the client says went before;
    None where it does not say. spoken_units: of a request for speech, by which the vendor may bill it.
    """

    method: str
    host: str
    port: int | None
    path: str
    words: Callable[[], Mapping[str, str]]
    identify: Callable[[], object]
    retries: int | None = None
    spoken_units: Callable[[], Mapping[str, Decimal]] = dict


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """How the calls of one client are reported.

    library_vendor: who sends the bill where nothing else tells. vendor: who does whatever the host is; "" where the
    host tells. region: the client's own. operations: which requests are calls, by method, path and vendor.
    make_envelope: of a response's headers, what they tell beside the body. fields: of every
    event; they hold before what is found out.
    """

    reporting: Reporting
    library_vendor: str
    vendor: str = ""
    region: str = ""
    record_failures: bool | None = None
    ask_for_stream_usage: bool = False
    operations: Callable[[str, str, str], Operation | None] = operation_of
    make_envelope: Callable[[Mapping[str, str]], Envelope] | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    def begin(self, see: Callable[[], SeenRequest]) -> Observation | None:
        """The observation of the request that `see` tells; None where it is not to be observed. Never raises."""
        try:
            return self._begin(see())
        except Exception as error:  # noqa: BLE001 - the boundary to the application, which must never feel us
            _said.warning(
                "observer", f"a call is not counted: {type(error).__name__} when its request was seen"
            )
            return None

    def vendor_of(self, host: str, port: int | None) -> str:
        """Who sends the bill for calls to `host`."""
        return self.vendor or vendor_of_host(host, port) or self.library_vendor

    def _begin(self, request: SeenRequest) -> Observation | None:
        vendor = self.vendor_of(request.host, request.port)
        operation = self.operations(request.method, request.path, vendor)
        if operation is None:
            return None
        known = None
        if request.retries != 0 and attempts.is_waiting():
            known = attempts.take_up(self._identity(request))
        if known is None:
            model = operation.model or request.words().get("model", "")
            call = self._call(vendor, model, operation.name, request).begin()
            if operation.name == "speech":
                call.describe(units=request.spoken_units())
            began_at = time.perf_counter()
        else:
            call, began_at = known
        if request.retries:
            call.attempt = request.retries + 1
        return Observation(
            call,
            partial(self._identity, request),
            began_at,
            answers_in_bytes=operation.name in _ANSWER_IN_BYTES,
        )

    def _identity(self, request: SeenRequest) -> object:
        """An attempt that another observer sees is another call's, whatever it asks."""
        return (self, request.identify())

    def _call(self, vendor: str, model: str, operation: str, request: SeenRequest) -> Call:
        found: dict[str, Any] = {
            "operation": operation,
            "region": self.region or region_of_url(request.host, request.path),
        }
        fields = {name: value for name, value in found.items() if value} | dict(self.fields)
        return self.reporting.call(
            vendor=vendor,
            model=model,
            record_failures=self.record_failures,
            **fields,
        )

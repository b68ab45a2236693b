"""The shared language of signals: what the detectors say of an incident, its names, its form on the wire."""

from tokenweir.signals.identity import fingerprint, incident_name, signal_id
from tokenweir.signals.request import SignalRequest
from tokenweir.signals.signal import Contributor, Severity, Signal, SignalState
from tokenweir.signals.wire import decode_signals, encode_signal

__all__ = [
    "Contributor",
    "Severity",
    "Signal",
    "SignalRequest",
    "SignalState",
    "decode_signals",
    "encode_signal",
    "fingerprint",
    "incident_name",
    "signal_id",
]

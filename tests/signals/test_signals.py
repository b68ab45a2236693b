"""A signal's names follow from what it is about, and its form on the wire is that of its schema."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenweir.errors import RejectedInput
from tokenweir.signals import (
    Contributor,
    Signal,
    decode_signals,
    encode_signal,
    fingerprint,
    incident_name,
    signal_id,
)

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "schemas" / "signal.schema.json").read_text(encoding="utf-8")
)


def a_signal(**changes: Any) -> Signal:
    """A signal as a detector's condition makes it."""
    about = fingerprint("cost_spike", "acme", {"team": "search"}, "")
    incident = incident_name(about, 29_400_000)
    fields: dict[str, Any] = {
        "id": signal_id(incident, 0),
        "fingerprint": about,
        "incident": incident,
        "kind": "cost_spike",
        "state": "open",
        "severity": "critical",
        "scope": {"tenant": "acme", "team": "search"},
        "started_at": datetime(2026, 11, 23, 12, tzinfo=UTC),
        "observed_at": datetime(2026, 11, 23, 12, 2, tzinfo=UTC),
        "value": 41.5,
        "baseline": 0.25,
        "unit": "usd_per_hour",
        "impact_usd_per_day": Decimal("990.000000000001"),
        "title": "search costs 166 times the usual",
        "explanation": "A loop.",
        "contributors": (Contributor(component="calls", scope={"service": "api"}, usd_per_day=Decimal(990)),),
        "evidence": {"ratio": 166.0},
    }
    return Signal(**(fields | changes))


def test_what_is_read_is_what_was_written() -> None:
    signal = a_signal()
    line = encode_signal(signal)
    assert b"\n" not in line
    jsonschema.validate(json.loads(line), SCHEMA)
    assert json.loads(line)["impact_usd_per_day"] == "990.000000000001"
    assert decode_signals(line + b"\n" + line) == [signal, signal]
    assert decode_signals(b"") == []


def test_what_is_no_signal_is_refused() -> None:
    with pytest.raises(RejectedInput, match="no signal"):
        decode_signals(b'{"id": "x"}')
    with pytest.raises(ValueError, match="finite"):
        a_signal(value=float("nan"))


def test_a_mute_has_an_end() -> None:
    ends = datetime(2026, 11, 23, 13, tzinfo=UTC)
    assert a_signal(muted_until=ends).is_muted()
    assert not a_signal(muted_until=ends, observed_at=ends).is_muted()
    assert not a_signal().is_muted()


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)


@given(st.dictionaries(names, names, max_size=4), names, names, st.randoms(use_true_random=False))
def test_a_fingerprint_knows_no_order(scope: dict[str, str], kind: str, subject: str, random: Any) -> None:
    items = list(scope.items())
    random.shuffle(items)
    assert fingerprint(kind, "acme", scope, subject) == fingerprint(kind, "acme", dict(items), subject)
    assert fingerprint(kind, "acme", scope, subject) != fingerprint(kind, "other", scope, subject)
    assert fingerprint(kind, "acme", scope, subject) != fingerprint(kind, "acme", scope, subject + "x")

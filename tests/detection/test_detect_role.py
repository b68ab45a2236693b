"""The detect role on real brokers: one signal for each thing that happened, whatever is killed meanwhile."""

import time

from tests.detection.workers import (
    CHEAP_CENTS,
    DEAR_CENTS,
    TENANTS,
    Sender,
    a_worker,
    in_state,
    signals_of,
    wait_for,
    wait_until_read,
)
from tokenweir.settings import Settings
from tokenweir.signals import SignalRequest


def test_a_kill_in_the_middle_of_an_incident_is_not_noticed(settings: Settings, sender: Sender) -> None:
    with a_worker(settings):
        sender.minutes(5, CHEAP_CENTS)
        sender.minutes(3, DEAR_CENTS)
        time.sleep(0.5)
        sender.minutes(3, DEAR_CENTS)
        opened = wait_for(settings, in_state("open"))
    sender.minutes(2, DEAR_CENTS)
    with a_worker(settings):
        sender.minutes(2, DEAR_CENTS)
        time.sleep(0.5)
        sender.minutes(2, CHEAP_CENTS)
        one = opened[0]
        sender.ask(
            SignalRequest(
                action="acknowledge", tenant=one.scope["tenant"], fingerprint=one.fingerprint, by="ana"
            )
        )
        wait_for(settings, lambda found: any(signal.acknowledged_by for signal in found))
        sender.minutes(8, CHEAP_CENTS)
        time.sleep(0.5)
        sender.minutes(1, CHEAP_CENTS)
        wait_for(settings, in_state("resolved"))
    with a_worker(settings):
        sender.minutes(5, CHEAP_CENTS)
        wait_until_read(settings)
    found = signals_of(settings)
    assert len({one.id for one in found}) == len(found)
    by_tenant = {
        tenant: [(one.state, one.change) for one in found if one.scope["tenant"] == tenant]
        for tenant in TENANTS
    }
    plain = [("open", ""), ("resolved", "")]
    asked = [("open", ""), ("update", "acknowledged"), ("resolved", "")]
    assert by_tenant == {
        tenant: asked if tenant == opened[0].scope["tenant"] else plain for tenant in TENANTS
    }

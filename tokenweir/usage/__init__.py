"""The shared language of usage: the event, the metered event, their names, their form on the wire."""

from tokenweir.usage.event import UsageEvent
from tokenweir.usage.metered import MeteredEvent
from tokenweir.usage.rejection import Rejection

__all__ = ["MeteredEvent", "Rejection", "UsageEvent"]

"""The emitter: how an application reports its usage."""

from producers.emitter.attribution import attributed, set_attribution
from producers.emitter.call import Call
from producers.emitter.emitter import Emitter

__all__ = ["Call", "Emitter", "attributed", "set_attribution"]

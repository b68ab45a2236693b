"""The emitter: how an application reports its usage."""

from producers.emitter.emitter import Emitter

__all__ = ["Emitter"]

"""Instrumentation: official clients report what their calls cost, and the application does not change.

    client = instrument(OpenAI(), emitter, team="checkout")

Read docs/instrumenting.md for what is observed and how it is hooked in; `registry` for how a library is added.
"""

from producers.instrumentation.registry import instrument, uninstrument

__all__ = ["instrument", "uninstrument"]

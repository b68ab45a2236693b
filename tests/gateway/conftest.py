"""What tests of the gateway share."""

from tests.emitter.conftest import _nothing_left_behind, settings

__all__ = ["_nothing_left_behind", "settings"]

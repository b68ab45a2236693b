"""How often long properties are tried: a few times in every run, and as much oftener as the profile asks for."""

from typing import Final

from hypothesis import settings

_SUITE: Final = 25
"""What the profile `suite` of tests/conftest.py has, of which the few are meant."""


def few(examples: int) -> int:
    """So many examples in a usual run; with HYPOTHESIS_PROFILE=long forty times as many."""
    return max(examples, examples * settings.default.max_examples // _SUITE)

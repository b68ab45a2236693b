"""A world for each test of followed files."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.collectors.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(*patterns: str, **options: Any) -> World:
        made.append(World(tmp_path, patterns or ("app.log",), **options))
        return made[-1]

    yield make
    for one in made:
        one.close()

"""One measurement: a value beside its baseline, from the same run, with CPU seconds as well as wall time.

"Per core" is events divided by CPU seconds (user and system, all threads of the process), so that what else runs on
the machine counts as little as can be. It still counts: who shares caches and cores slows a CPU second down, never
up. So work is measured in parts, the value is that of the best part (of the baseline too), and the mean over all
stands beside it. Wall time says how long it took on this machine, whatever else it did.
"""

import resource
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Final, NamedTuple

PER_CORE: Final = "events/s per core"


@dataclass(slots=True)
class Clock:
    """Seconds that a block took. `cpu_seconds` counts this process with all its threads."""

    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0


@contextmanager
def clock() -> Iterator[Clock]:
    """Times the block."""
    taken = Clock()
    wall, cpu = time.perf_counter(), time.process_time()
    yield taken
    taken.wall_seconds = time.perf_counter() - wall
    taken.cpu_seconds = time.process_time() - cpu


class Part(NamedTuple):
    """One part of the work: how many events, in how many CPU seconds."""

    events: int
    cpu_seconds: float


def best_rate(parts: Iterable[Part]) -> float:
    """Events a CPU second in the best part."""
    return max(part.events / part.cpu_seconds for part in parts)


def mean_rate(parts: Sequence[Part]) -> float:
    """Events a CPU second over all parts."""
    return sum(part.events for part in parts) / sum(part.cpu_seconds for part in parts)


def in_parts(work: Callable[[int], int], numbers: range, parts: int) -> list[Part]:
    """Do `work` for each number, which says how many events that was, and time it in so many parts."""
    size = -(-len(numbers) // parts)
    found = []
    for start in range(0, len(numbers), size):
        with clock() as taken:
            events = sum(work(number) for number in numbers[start : start + size])
        found.append(Part(events, taken.cpu_seconds))
    return found


def peak_mib() -> float:
    """The most memory that this process has held so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@dataclass(slots=True)
class Measurement:
    """What one benchmark found.

    value, mean and baseline are in `unit`; mean is None where the value is of the whole. `higher_is_better` says
    which way; `bar` is what the design asks of `value`, None where it asks nothing. A value of None could not be
    taken, and `note` says why.
    """

    name: str
    value: float | None
    unit: str
    mean: float | None = None
    baseline: float | None = None
    baseline_is: str = ""
    bar: float | None = None
    higher_is_better: bool = True
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    peak_mib: float = field(default_factory=peak_mib)
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """value / baseline."""
        return self.value / self.baseline if self.baseline and self.value is not None else None

    @property
    def reached(self) -> bool | None:
        """Whether the bar is reached; None where there is none, or no value."""
        if self.bar is None or self.value is None:
            return None
        return self.value >= self.bar if self.higher_is_better else self.value <= self.bar

    def as_json(self) -> dict[str, Any]:
        """As it stands in build/bench.json."""
        return {**asdict(self), "ratio": self.ratio, "reached": self.reached}

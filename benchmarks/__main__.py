"""`make bench`: every measurement beside its baseline, as a table and in build/bench.json.

Each module listed here has `run() -> list[Measurement]` and runs in a process of its own. A measurement that cannot
be taken on this machine says why in place of a figure. A missed bar fails nothing; a benchmark that breaks is told,
the others go on, and the exit status is 1.
"""

import argparse
import json
import logging
import sys
import time
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.apart import run_apart
from benchmarks.measure import Measurement

_MODULES: Final = (
    "pricing",
    "meter",
    "ledger",
    "emitter",
    "emitter_outage",
    "roles",
    "pipeline",
    "detectors",
    "live_series",
    "trace_signals",
    "series",
    "panels",
)
_RESULT: Final = Path("build/bench.json")
_WIDTH: Final = 160


def main() -> int:
    """Runs the named benchmarks, or all. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", choices=[*_MODULES, []], help="which (default: all)")
    parser.add_argument(
        "--seconds", type=float, help="how long Kafka is away in emitter_outage (default: 20)"
    )
    arguments = parser.parse_args()
    names = arguments.name or list(_MODULES)
    sizes = {"emitter_outage": {"seconds": arguments.seconds} if arguments.seconds else {}}
    console = Console(width=_WIDTH)
    found: list[Measurement] = []
    broken: list[str] = []
    for name in names:
        began = time.monotonic()
        console.print(f"[dim]measuring {name} …[/dim]", end="")
        try:
            found += run_apart(name, **sizes.get(name, {}))
        except Exception:
            # The boundary between one benchmark and the next: what the others found is worth having.
            logging.exception("The benchmark %s broke", name)
            broken.append(name)
        console.print(f"[dim] {time.monotonic() - began:.0f} s[/dim]")
    console.print(table_of(found))
    for measurement in found:
        remarks = [measurement.note, measurement.baseline_is and f"beside: {measurement.baseline_is}"]
        console.print(f"[dim]{measurement.name}: {'; '.join(filter(None, remarks))}[/dim]")
    write(found, keep_others=bool(broken) or len(names) < len(_MODULES))
    console.print(f"written to {_RESULT}")
    if broken:
        console.print(f"[red]broken: {', '.join(broken)}[/red]")
    return 1 if broken else 0


def write(found: list[Measurement], *, keep_others: bool, path: Path = _RESULT) -> None:
    """Writes the measurements as one object by name; `keep_others` leaves what an earlier run found of others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    earlier = json.loads(path.read_text(encoding="utf-8")) if keep_others and path.exists() else {}
    merged = earlier | {measurement.name: measurement.as_json() for measurement in found}
    path.write_text(json.dumps(merged, indent=2) + "\n", encoding="utf-8")


def table_of(found: list[Measurement]) -> Table:
    """The measurements, one a row."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in (
        "measure",
        "value",
        "mean",
        "bar",
        "",
        "unit",
        "baseline",
        "ratio",
        "CPU s",
        "wall s",
        "peak MiB",
    ):
        is_text = heading in ("measure", "unit", "")
        table.add_column(heading, justify="left" if is_text else "right", no_wrap=True)
    for one in found:
        table.add_row(
            one.name,
            _figure(one.value),
            "" if one.mean is None else _figure(one.mean),
            "" if one.bar is None else _figure(one.bar),
            {None: "", True: "[green]reached[/green]", False: "[red]missed[/red]"}[one.reached],
            one.unit,
            "" if one.baseline is None else _figure(one.baseline),
            "" if one.ratio is None else f"{one.ratio:.2g}x" if one.ratio < 10 else f"{one.ratio:,.0f}x",
            f"{one.cpu_seconds:.2f}",
            f"{one.wall_seconds:.2f}",
            f"{one.peak_mib:.0f}",
        )
    return table


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}"


if __name__ == "__main__":
    sys.exit(main())

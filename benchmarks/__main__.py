"""`make bench`: every measurement beside its baseline, as a table and in build/bench.json.

Each module listed here has `run() -> list[Measurement]`. A measurement that cannot be taken on this machine says
why in place of a figure; none can fail the run.
"""

import argparse
import json
from importlib import import_module
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.measure import Measurement

_MODULES: Final = ("pricing", "meter", "ledger", "emitter", "pipeline")
_RESULT: Final = Path("build/bench.json")


def main() -> None:
    """Runs the named benchmarks, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", choices=[*_MODULES, []], help="which (default: all)")
    names = parser.parse_args().name or list(_MODULES)
    console = Console(width=150)
    found: list[Measurement] = []
    for name in names:
        console.print(f"[dim]measuring {name}…[/dim]")
        found += import_module(f"benchmarks.{name}").run()
    console.print(_table(found))
    for measurement in found:
        if measurement.note:
            console.print(f"[dim]{measurement.name}: {measurement.note}[/dim]")
    _RESULT.parent.mkdir(exist_ok=True)
    earlier = json.loads(_RESULT.read_text()) if _RESULT.exists() and len(names) < len(_MODULES) else {}
    merged = earlier | {measurement.name: measurement.as_json() for measurement in found}
    _RESULT.write_text(json.dumps(merged, indent=2) + "\n")
    console.print(f"written to {_RESULT}")


def _table(found: list[Measurement]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in (
        "measure",
        "value",
        "bar",
        "",
        "unit",
        "baseline",
        "ratio",
        "CPU s",
        "wall s",
        "peak MiB",
    ):
        table.add_column(heading, justify="left" if heading in ("measure", "unit", "") else "right")
    for one in found:
        table.add_row(
            one.name,
            _figure(one.value),
            "" if one.bar is None else _figure(one.bar),
            {None: "", True: "[green]reached[/green]", False: "[red]missed[/red]"}[one.reached],
            one.unit,
            "" if one.baseline is None else f"{_figure(one.baseline)} ({one.baseline_is})",
            "" if one.ratio is None else f"{one.ratio:.1f}x",
            f"{one.cpu_seconds:.2f}",
            f"{one.wall_seconds:.2f}",
            f"{one.peak_mib:.0f}",
        )
    return table


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}"


if __name__ == "__main__":
    main()

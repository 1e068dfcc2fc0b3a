"""The benchmark of the fitter: `python experiments/benchmarks/fitting.py --help`.

It runs in one process and one thread, and measures ours and the others side by side in the same run.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Before NumPy is imported, which reads them once.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import bootstraps
import hoffmann
import laws
import machine
import peers
import scaling
from part import Part
from rows import chinchilla_rows

PARTS = ("hoffmann", "laws", "bootstraps", "scaling", "peers")
QUICK_STARTS = 20  # of SciPy for each law
QUICK_RESAMPLES = 400


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the parts, print their tables, and write what was asked for."""
    options = _options(arguments)
    described = machine.describe()
    described["command"] = shlex.join(
        ["python", "experiments/benchmarks/fitting.py", *map(_shown, arguments or sys.argv[1:])]
    )
    parts = []
    for name in options.only or PARTS:
        print(f"{name} ...", file=sys.stderr)
        parts.append(run(name, quick=options.quick, peer_python=options.peer_python))
    described["load when it ended"] = machine.load()
    if options.json != "-":
        print(page(described, parts))
    if options.markdown:
        Path(options.markdown).write_text(page(described, parts), encoding="utf-8")
    if options.json:
        told = {"machine": described, "quick": options.quick, "parts": {part.name: part.numbers for part in parts}}
        text = json.dumps(_finite(told), indent=1, allow_nan=False)
        if options.json == "-":
            print(text)
        else:
            Path(options.json).write_text(text + "\n", encoding="utf-8")


def _shown(argument: str) -> str:
    """An argument without the folders of this machine."""
    path = Path(argument)
    return path.name if path.is_absolute() else argument


def run(name: str, *, quick: bool = False, peer_python: str = sys.executable) -> Part:
    """Run one of `PARTS`."""
    if name == "hoffmann":
        return hoffmann.measure(chinchilla_rows(), share=hoffmann.QUICK if quick else 1.0)
    if name == "laws":
        return laws.measure(scaled_from=QUICK_STARTS if quick else None)
    if name == "bootstraps":
        return bootstraps.measure(chinchilla_rows(), count=QUICK_RESAMPLES if quick else 4000)
    if name == "scaling":
        return scaling.measure(limit=30.0 if quick else 300.0)
    points = peers.QUICK_POINTS if quick else peers.POINTS
    return peers.measure(chinchilla_rows(), peer_python, points=points)


def page(described: dict[str, str], parts: Sequence[Part]) -> str:
    """The whole as a page of Markdown."""
    lines = ["# Benchmarks of the fitter", ""]
    lines += [f"- {name}: {f'`{value}`' if name == 'command' else value}" for name, value in described.items()]
    return "\n".join([*lines, "", *(part.markdown() for part in parts)])


def _finite(value: Any) -> Any:
    """The value with `null` for what JSON has no number for."""
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure our fitter beside SciPy's and beside other packages.")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="NAME", help=f"parts to run: {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="fewer starts and resamples; the output says where")
    parser.add_argument("--json", metavar="FILE", help="write all numbers; - prints them in place of the tables")
    parser.add_argument("--markdown", metavar="FILE", help="write the page")
    parser.add_argument(
        "--peer-python", default=sys.executable, metavar="PATH", help="interpreter that has the other packages"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()

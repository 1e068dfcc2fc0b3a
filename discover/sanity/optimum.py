"""Where a law has its optimum in the features that have one: learning rates, batch sizes, and other counts.

One is expected in every `rate` and in the batch size, the `count` B. Other counts (experts, entries of a vocabulary)
may have one or none, and the line says which.
"""

from __future__ import annotations

import numpy as np

from discover.sanity.check import SanityCheck
from discover.sanity.grid import LEVELS, POINTS, Grid, first, mesh, spread
from discover.sanity.shape import TOLERANCE
from discover.sanity.subject import Subject

BATCH = "B"  # the batch size, in the project's symbols


def optima(subject: Subject) -> list[SanityCheck]:
    """A line for each rate and count, over the data."""
    return [_optimum(subject, name) for name in subject.varied if subject.kinds.get(name) in ("rate", "count")]


def _optimum(subject: Subject, name: str) -> SanityCheck:
    label = f"optimum in {name}"
    expected = subject.kinds[name] == "rate" or name == BATCH
    column = subject.columns[name]
    if np.ptp(column) == 0:
        return SanityCheck(label, "unknown", f"the data have one {name}, {column[0]:.3g}")
    grid = mesh({name: spread(column, POINTS)}, subject.without(name), subject.kinds, LEVELS, 1.0)
    curves = subject.predict(grid)
    if not np.isfinite(curves).all():
        return SanityCheck(label, "unknown", "the law is not finite over the data")
    curves = curves.reshape(-1, POINTS)
    grid = {key: values.reshape(-1, POINTS) for key, values in grid.items()}
    data = f"the data ({column.min():.3g} to {column.max():.3g})"
    low, high = _turns(curves), _turns(-curves)
    if low.all():
        places = _lowest(subject, grid, name, 1.0)
        middle = float(np.median(places))
        spots = (
            f"{places.min():.3g}" if np.ptp(places) <= 0.01 * middle else f"{places.min():.3g} to {places.max():.3g}"
        )
        return SanityCheck(label, "pass", f"minimum at {name} = {spots}, inside {data}", middle)
    where = _others(grid, name, high if high.any() else ~low)
    if high.any():
        row = int(np.argmax(high))
        worst = float(_lowest(subject, grid, name, -1.0)[row])
        found = f"maximum at {name} = {worst:.3g}{where}, inside {data}"
        return SanityCheck(label, "fail" if expected else "unknown", found, worst)
    if low.any():
        return SanityCheck(label, "unknown", f"minimum inside {data} for some of the other features; none{where}")
    steps = np.sign(
        np.where(np.ptp(curves, axis=1) <= TOLERANCE * np.abs(curves[:, 0]), 0, curves[:, -1] - curves[:, 0])
    )
    if not steps.any():
        return SanityCheck(label, "unknown" if expected else "pass", f"none: the law is flat over {data}")
    ways = {-1: "falls", 1: "rises", 0: "is flat"}
    seen = [ways[int(step)] for step in np.unique(steps)]
    said = f"none: the law {' or '.join(seen)} over {data}"
    return SanityCheck(label, "unknown" if expected else "pass", said)


def _turns(curves: np.ndarray) -> np.ndarray:
    """Which curves have their smallest value inside, below both ends by more than rounding."""
    ends = np.minimum(curves[:, 0], curves[:, -1])
    lowest = curves.min(axis=1)
    return np.asarray(lowest < ends - TOLERANCE * np.abs(ends))


def _lowest(subject: Subject, grid: Grid, name: str, sign: float) -> np.ndarray:
    """Where the law, times `sign`, is smallest on each curve: three times on a finer grid around the smallest point."""
    for _ in range(3):
        curves = sign * subject.predict(grid)
        rows, lowest = np.arange(len(curves)), np.clip(np.argmin(curves, axis=1), 1, POINTS - 2)
        ends = grid[name][rows, lowest - 1], grid[name][rows, lowest + 1]
        grid = {**grid, name: np.geomspace(*ends, POINTS, axis=1)}
    return np.asarray(grid[name][:, POINTS // 2])


def _others(grid: Grid, name: str, chosen: np.ndarray) -> str:
    """The other features of the first of some curves."""
    (row,) = first(chosen)
    parts = [f"{key} = {values[row, 0]:.3g}" for key, values in grid.items() if key != name]
    return f" at {', '.join(parts)}" if parts else ""

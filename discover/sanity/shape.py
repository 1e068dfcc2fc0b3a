"""Whether a law falls in a size, with returns that diminish, and is finite and positive.

It is sampled densely on a grid that reaches from the smallest values of the data to 100 times the largest.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from discover.sanity.check import SanityCheck
from discover.sanity.grid import BEYOND, LEVELS, line, mesh, witness
from discover.sanity.subject import Subject

TOLERANCE = 1e-6  # relative rise that is taken for rounding
BEND = 1e-4  # relative change of the slope, between steps of the grid, that is taken for straight


def shape(subject: Subject, name: str, *, bent: bool) -> list[SanityCheck]:
    """Whether the law falls in a feature, and whether its returns diminish."""
    falls, diminishes = f"falls in {name}", f"returns diminish in {name}"
    grid = line(subject.columns, subject.kinds, name, BEYOND)
    prediction = subject.predict(grid)
    if not np.isfinite(prediction).all():
        where = f"not finite at {witness(grid, ~np.isfinite(prediction))}"
        return [SanityCheck(falls, "fail", where), SanityCheck(diminishes, "unknown", where)]
    steps = np.diff(prediction, axis=-1)
    size = np.abs(prediction)
    rises = steps > TOLERANCE * size[..., :-1]
    # The grid is even in the logarithm: convex there means that each equal factor buys less.
    bends = np.diff(steps, axis=-1) < -BEND * size[..., 1:-1]
    if bent:
        bends &= grid[name][..., :-2] >= subject.columns[name].max()
    return [_check(falls, rises, grid, 1, "rises at"), _check(diminishes, bends, grid, 2, "falls faster at")]


def _check(label: str, bad: np.ndarray, grid: Mapping[str, np.ndarray], skip: int, what: str) -> SanityCheck:
    if not bad.any():
        return SanityCheck(label, "pass")
    behind = {key: column[..., skip:] for key, column in grid.items()}
    return SanityCheck(label, "fail", f"{what} {witness(behind, bad)}")


def finite(subject: Subject, *, positive: bool) -> SanityCheck:
    """Whether the law has a finite value, which is positive where it must be."""
    label = "finite and positive" if positive else "finite"
    if not subject.columns:
        return SanityCheck(label, "pass")
    grid = mesh({}, subject.columns, subject.kinds, 2 * LEVELS, BEYOND)
    prediction = subject.predict(grid)
    bad = ~np.isfinite(prediction)
    if positive:
        bad |= ~(prediction > 0)
    return SanityCheck(label, "fail", f"not at {witness(grid, bad)}") if bad.any() else SanityCheck(label, "pass")

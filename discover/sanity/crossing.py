"""Where a quantity changes its sign between two points of a grid."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from scipy.optimize import brentq

from discover.sanity.grid import Grid, at, first

Evaluate = Callable[[Grid], np.ndarray]


def crossing(
    evaluate: Evaluate, grid: Mapping[str, np.ndarray], signs: np.ndarray, name: str, axis: int = -1
) -> dict[str, float] | None:
    """The first point between neighbours on a grid at which the sign changes along an axis; `None` without any.

    Parameters
    ----------
    evaluate
        The quantity at points.
    signs
        Its signs on the grid: -1, 0 or 1.
    name
        The feature that varies along `axis`.
    """
    before, after = (np.take(signs, range(start, signs.shape[axis] + start - 1), axis) for start in (0, 1))
    changes = before * after < 0
    if not changes.any():
        return None
    index = first(changes)
    axis %= signs.ndim
    behind = (*index[:axis], index[axis] + 1, *index[axis + 1 :])
    point, low, high = at(grid, index), math.log(grid[name][index]), math.log(grid[name][behind])

    def quantity(logarithm: float) -> float:
        there = {**point, name: math.exp(logarithm)}
        return float(evaluate({key: np.array([value]) for key, value in there.items()})[0])

    ends = quantity(low), quantity(high)
    if not ends[0] * ends[1] < 0:  # rounding at the ends: the grid's own point is near enough
        return point
    return {**point, name: math.exp(brentq(quantity, low, high, xtol=1e-12))}

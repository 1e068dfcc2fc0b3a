"""Where a fit starts: drawn from the ranges of the constants, with the linear constants solved for.

Most points of a wide range have a term that is far too large or that vanishes, and no solver leaves a term that
vanishes. So many more points are drawn than are used; at each, the constants in which the formula is linear (E0, A
and B of Chinchilla's law) are solved by weighted least squares, those that must be positive kept positive; and the
points with the smallest residuals are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import sympy

from discover.fitting.equations import BLOCK, LawEquations
from discover.fitting.solver import solve_each
from discover.formula import symbol
from discover.law import Law

DRAWN = 4  # points drawn for each start that is kept
SCREENED = 256  # rows on which drawn points are compared, at most
BARELY = 0.01  # share of the target at which a positive term starts that least squares would have negative


def draw(low: np.ndarray, high: np.ndarray, count: int, seed: int) -> np.ndarray:
    """`count` points spread evenly over a box (a scrambled Sobol sequence), shape (count, dimensions)."""
    return np.asarray(low + _unit(len(low), count, seed) * (high - low))


@lru_cache(maxsize=64)
def _unit(dimensions: int, count: int, seed: int) -> np.ndarray:
    from scipy.stats import qmc  # a slow import that only fits need

    power = max(1, int(np.ceil(np.log2(count))))
    return np.asarray(qmc.Sobol(dimensions, seed=seed).random_base2(power)[:count])


def winners(size: np.ndarray, count: int) -> np.ndarray:
    """Places of the starts among drawn points with residuals of some `size`, shape (problems, drawn).

    The very best points often lie in one valley, and not in that of the optimum. So half of the starts are the best of
    all, and half the best of small heats, which are spread as the points were drawn.
    """
    first = np.argsort(size, axis=1, kind="stable")[:, : count - count // 2]
    heats = np.array_split(np.arange(size.shape[1]), max(1, count // 2))
    others = [heat[0] + np.argmin(size[:, heat], axis=1) for heat in heats]
    return np.concatenate([first, np.stack(others, axis=1)], axis=1)[:, :count]


def linear_constants(law: Law, free: Sequence[str]) -> list[str]:
    """The largest set of the `free` constants, taken in order, in which the formula is jointly linear."""
    chosen: list[str] = []
    for name in free:
        slope = sympy.diff(law.expanded, symbol(name))
        if not any(slope.has(symbol(other)) for other in (*chosen, name)):
            chosen.append(name)
    return chosen


def solve_linear(equations: LawEquations, points: np.ndarray, which: np.ndarray, linear: Sequence[int]) -> np.ndarray:
    """Replace the `linear` parameters (by place) of each point by their least-squares values, within their bounds.

    Rows are weighted by 1/target, so that the residual is about that of the logarithm. A value beyond a bound is put
    there (a logarithm: where its term makes up a hundredth of the target) and the others are solved for again.
    """
    if not linear:
        return points
    index = np.array(linear, dtype=int)
    solved = points.copy()
    step = max(1, BLOCK // max(1, equations.rows * points.shape[1]))
    for first in range(0, len(points), step):
        some = slice(first, first + step)
        solved[some] = _solved(equations, points[some], which[some], index)
    legal = np.isfinite(solved).all(axis=1)
    return np.where(legal[:, None], np.clip(solved, equations.lower, equations.upper), points)


def _solved(equations: LawEquations, points: np.ndarray, which: np.ndarray, index: np.ndarray) -> np.ndarray:
    log = equations.space.log[equations.space.first][index]
    value, slopes, target = equations.values(points, which)
    weight = 1.0 / np.maximum(np.abs(target), 1e-300)
    own = equations.weights(which, slice(0, equations.rows))
    if own is not None:
        weight = weight * np.sqrt(own)
    with np.errstate(all="ignore"):  # a point that overflows is left as it was drawn
        # The slope in a logarithm is the term itself, which is multiplied; other constants are replaced.
        before = np.where(log, 1.0, points[:, index])
        basis = slopes[:, index] * (weight if weight.ndim == 1 else weight[:, None, :])
        right = (target - value) * weight + np.einsum("sk,skn->sn", before, basis)
        size = np.sqrt(np.einsum("skn,skn->sk", basis, basis))
        size = np.where(size > 0, size, 1.0)
        basis /= size[:, :, None]
        normal = basis @ basis.transpose(0, 2, 1) + 1e-12 * np.eye(len(index))
        vector = (basis @ right[..., None])[..., 0]
        least = np.sqrt((np.broadcast_to(target * weight, right.shape) ** 2).sum(axis=1, keepdims=True))
        least = np.where(log, BARELY * least, equations.lower[index] * size)
        found = _not_less(normal, vector, least) / size
        result = points.copy()
        result[:, index] = np.where(log, points[:, index] + np.log(found), found)
    return result


def _not_less(normal: np.ndarray, vector: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Solutions of a batch of normal equations with no component below `least`: those that would be are put there."""
    pinned = np.zeros(vector.shape, dtype=bool)
    usable = np.isfinite(normal).all(axis=(1, 2)) & np.isfinite(vector).all(axis=1)
    found = np.full(vector.shape, np.nan)
    left = np.flatnonzero(usable)
    for _ in range(vector.shape[1] + 1):
        if not len(left):
            break
        matrix, side, held = normal[left], vector[left], pinned[left]
        if held.any():
            side = side - np.einsum("skl,sl->sk", matrix, np.where(held, least[left], 0.0))
            side = np.where(held, least[left], side)
            matrix = np.where(held[:, :, None] | held[:, None, :], 0.0, matrix) + held[..., None] * np.eye(
                vector.shape[1]
            )
        found[left] = solve_each(matrix, side)
        below = (found[left] < least[left]) & ~held
        pinned[left] |= below
        left = left[below.any(axis=1)]
    return found

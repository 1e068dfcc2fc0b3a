"""Doubts about an optimum that its covariance does not show.

A constant that moves by its logarithm may be known to no order of magnitude; an exact fit has errors of zero although
terms have vanished in it; and a valley may lead to infinity, so that the descent ended nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from discover.fitting import warnings as warning
from discover.fitting.equations import EXACT, LawEquations
from discover.fitting.rows import Rows
from discover.fitting.space import Space
from discover.fitting.warnings import FitWarning


def vague_constants(
    space: Space, point: np.ndarray, covariance: np.ndarray, flat: Sequence[Sequence[str]]
) -> Iterator[FitWarning]:
    """Constants that move by their logarithm, of which not even that is known."""
    named = {name for group in flat for name in group}
    constants = space.constants(point[None])[0]
    for name, place in zip(space.free, space.first, strict=True):
        if space.log[place] and name not in named and constants[place] > 0:
            error = float(np.sqrt(covariance[place, place])) / constants[place]
            if error > np.log(warning.VAGUE):
                yield warning.of_vague(name, error)


def of_rounding(equations: LawEquations, bread: np.ndarray, rows: Rows) -> np.ndarray:
    """Covariance of the parameters for residuals as large as rounding, of which an exact fit has none."""
    size = EXACT if equations.objective.logarithmic else EXACT * float(np.max(np.abs(rows.target)))
    length = np.sqrt(np.maximum(np.diag(bread), 1e-300))
    with np.errstate(all="ignore"):
        scaled = np.nan_to_num(bread / length[:, None] / length)
        return np.asarray(size**2 * np.linalg.pinv(scaled, rcond=1e-12, hermitian=True) / length[:, None] / length)


def falls(equations: LawEquations, place: int, point: np.ndarray) -> float:
    """By which part of the objective one more undamped step would lower it, at least; zero at an optimum."""
    objective, which = equations.objective, np.array([place])
    if objective.shape == "mae" or not len(point):  # absolute values have no slope of zero at their optimum
        return 0.0
    normal = equations.normal(point[None], which, np.full(1, objective.delta), curvature=False)
    with np.errstate(all="ignore"):  # what is not finite says nothing
        gradient, matrix = normal.gradient[0] / normal.scale[0], normal.matrix[0] / np.outer(*[normal.scale[0]] * 2)
    if not normal.loss[0] > equations.floor(which)[0] or not np.isfinite(matrix).all():
        return 0.0
    inside = ~((point <= equations.lower) & (gradient > 0) | (point >= equations.upper) & (gradient < 0))
    gradient, matrix = gradient[inside], matrix[np.ix_(inside, inside)]
    return float(0.5 * gradient @ np.linalg.pinv(matrix, rcond=1e-12, hermitian=True) @ gradient / normal.loss[0])

"""Where a fit starts: drawn from the ranges of the constants, with the linear constants solved for.

Most points of a wide range have a term that is far too large or that vanishes, and no solver leaves a term that
vanishes. So many more points are drawn than are used; at each, the constants in which the formula is linear (E0, A
and B of Chinchilla's law) are solved by weighted least squares where that gives legal values; and the points with the
smallest residuals are kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy

from discover.formula import symbol
from discover.law import Law

DRAWN = 16  # points drawn for each start that is kept


def draw(low: np.ndarray, high: np.ndarray, count: int, seed: int) -> np.ndarray:
    """`count` points spread evenly over a box (a scrambled Sobol sequence), shape (count, dimensions)."""
    from scipy.stats import qmc  # a slow import that only fits need

    power = max(1, int(np.ceil(np.log2(count))))
    unit = qmc.Sobol(len(low), seed=seed).random_base2(power)[:count]
    return np.asarray(low + unit * (high - low))


def linear_constants(law: Law, free: Sequence[str]) -> list[str]:
    """The largest set of the `free` constants, taken in order, in which the formula is jointly linear."""
    chosen: list[str] = []
    for name in free:
        slope = sympy.diff(law.expanded, symbol(name))
        if not any(slope.has(symbol(other)) for other in (*chosen, name)):
            chosen.append(name)
    return chosen


def solve_linear(
    law: Law, columns: Sequence[np.ndarray], target: np.ndarray, constants: np.ndarray, linear: Sequence[str]
) -> np.ndarray:
    """Replace the `linear` constants of each point by their least-squares values, where those are legal.

    Rows are weighted by 1/target, so that the residual is about that of the logarithm.
    """
    if not linear:
        return constants
    index = [list(law.parameters).index(name) for name in linear]
    prediction, jacobian = law.compiled.predict_with_jacobian(columns, constants)
    weight = 1.0 / np.maximum(np.abs(target), 1e-300)
    with np.errstate(all="ignore"):  # a point that overflows is left as it was drawn
        basis = jacobian[..., index] * weight[:, None]
        offset = (prediction - np.einsum("snp,sp->sn", jacobian[..., index], constants[:, index])) * weight
        size = np.linalg.norm(basis, axis=1)
        basis = basis / size[:, None, :]
        normal = np.einsum("snp,snq->spq", basis, basis) + 1e-12 * np.eye(len(index))
        right = np.einsum("snp,sn->sp", basis, target * weight - offset)
    usable = np.isfinite(normal).all(axis=(1, 2)) & np.isfinite(right).all(axis=1)
    solved = constants.copy()
    solved[np.ix_(usable, index)] = (
        np.linalg.solve(normal[usable], right[usable][..., None])[..., 0] / size[usable]
        if usable.any()
        else constants[usable][:, index]
    )
    lower = np.array([law.parameters[name].lower for name in linear])
    upper = np.array([law.parameters[name].upper for name in linear])
    values = solved[:, index]
    legal = usable & np.isfinite(values).all(axis=1) & ((values > lower) & (values < upper)).all(axis=1)
    return np.where(legal[:, None], solved, constants)


def size(residuals: np.ndarray) -> np.ndarray:
    """Sum of the absolute residuals of each point; infinite where one is not finite."""
    total = np.abs(residuals).sum(axis=1)
    return np.where(np.isfinite(total), total, np.inf)

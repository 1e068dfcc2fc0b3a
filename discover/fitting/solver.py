"""Levenberg-Marquardt on many starts at once, for squared and Huber losses, with bounds.

All starts of one law move together in NumPy. Huber's loss is handled by re-weighting: its gradient is that of a
weighted square, whose Gauss-Newton matrix majorises it, so every accepted step descends. Where delta is far below
the noise (the field's 1e-3) this is slow from afar, so delta shrinks in stages and the last stage uses
the loss's own curvature (only rows within delta have any), which converges in a few steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from discover.fitting.objective import Objective

Residuals = Callable[[np.ndarray], np.ndarray]  # (starts, parameters) -> (starts, rows)
Jacobian = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]  # ... and (starts, rows, parameters)


@dataclass(frozen=True)
class Problem:
    """A batch of least-squares-like problems over one set of rows.

    Attributes
    ----------
    residuals, jacobian
        Residuals, and residuals with their derivatives, of sets of parameters.
    lower, upper
        Bounds of the parameters, shape (parameters,).
    """

    residuals: Residuals
    jacobian: Jacobian
    lower: np.ndarray
    upper: np.ndarray
    objective: Objective


def solve(problem: Problem, starts: np.ndarray, *, coarse: int = 25, fine: int = 40) -> np.ndarray:
    """Move every start to a local optimum; the result is sorted by objective, the best first.

    Parameters
    ----------
    starts
        Shape (starts, parameters), inside the bounds.
    coarse, fine
        Largest number of steps at each wide delta, and at the final one.

    Returns
    -------
    Parameters of all starts that stayed finite, shape (at most starts, parameters).
    """
    points: np.ndarray = np.clip(starts, problem.lower, problem.upper)
    points = points[np.isfinite(problem.objective.loss(problem.residuals(points)))]
    if not len(points):
        return points
    objective = problem.objective
    if objective.robust:
        # The widest stage is all but least squares; each later one follows the optimum of the one before.
        typical = np.median(np.abs(problem.residuals(points)))
        for delta in (max(objective.delta, typical), max(objective.delta, 10 * objective.delta)):
            points = _descend(problem, points, delta, coarse, curvature=False)
    points = _descend(problem, points, objective.delta, fine, curvature=False)
    if objective.robust:
        points = _descend(problem, points, objective.delta, fine, curvature=True)
    return points[np.argsort(objective.loss(problem.residuals(points)), kind="stable")]


def _descend(problem: Problem, points: np.ndarray, delta: float, steps: int, *, curvature: bool) -> np.ndarray:
    """At most `steps` damped Gauss-Newton steps from each of `points`; no step raises the objective."""
    objective = problem.objective
    points = points.copy()
    damping = np.full(len(points), 1e-3)
    loss = objective.loss(problem.residuals(points), delta)
    active = np.ones(len(points), dtype=bool)  # starts that still move
    stalled = np.zeros(len(points), dtype=int)
    for _ in range(steps):
        index = np.flatnonzero(active)
        if not len(index):
            break
        proposal = _step(problem, points[index], delta, damping[index], curvature)
        new_loss = objective.loss(problem.residuals(proposal), delta)
        better = new_loss < loss[index]
        gain = np.where(better, loss[index] - new_loss, 0.0)
        small = gain <= 1e-12 * loss[index]
        accepted = index[better]
        points[accepted], loss[accepted] = proposal[better], new_loss[better]
        damping[index] = np.where(better, np.maximum(damping[index] / 5, 1e-12), damping[index] * 8)
        stalled[index] = np.where(small, stalled[index] + 1, 0)
        active[index] = (damping[index] < 1e10) & (stalled[index] < 6)
    return points


def _step(problem: Problem, points: np.ndarray, delta: float, damping: np.ndarray, curvature: bool) -> np.ndarray:
    """The proposals of one damped step, inside the bounds."""
    residual, jacobian = problem.jacobian(points)
    weight = problem.objective.weight(residual, delta)
    finite = np.isfinite(jacobian).all(axis=2) & np.isfinite(residual)
    jacobian = np.where(finite[..., None], jacobian, 0.0)
    residual, weight = np.where(finite, residual, 0.0), np.where(finite, weight, 0.0)
    weighted = jacobian * weight[..., None]
    gradient = np.einsum("snp,sn->sp", weighted, residual)
    majorant = np.einsum("snp,snq->spq", weighted, jacobian)
    diagonal = np.maximum(np.einsum("spp->sp", majorant), 1e-300)
    matrix = majorant
    if curvature and problem.objective.robust:
        inside = jacobian * (np.abs(residual) <= delta)[..., None]
        matrix = np.einsum("snp,snq->spq", inside, jacobian)
    blocked = ((points <= problem.lower) & (gradient > 0)) | ((points >= problem.upper) & (gradient < 0))
    scale = np.sqrt(diagonal)
    # Solve in scaled parameters, where the damping is the identity and the matrix has a unit diagonal.
    with np.errstate(all="ignore"):
        scaled = matrix / scale[:, :, None] / scale[:, None, :]
    usable = np.isfinite(scaled).all(axis=(1, 2))  # else a derivative overflowed: that start stays where it is
    free = ~blocked & usable[:, None]
    scaled = np.where(free[:, :, None] & free[:, None, :], scaled, 0.0)
    scaled += (damping[:, None] + ~free)[..., None] * np.eye(points.shape[1])
    step = _solve_each(scaled, np.where(free, -gradient / scale, 0.0)) / scale
    return np.asarray(np.clip(points + step, problem.lower, problem.upper))


def _solve_each(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    try:
        return np.asarray(np.linalg.solve(matrices, vectors[..., None])[..., 0])
    except np.linalg.LinAlgError:  # one of the batch is singular: least squares for all, slower
        return np.stack([np.linalg.lstsq(m, v, rcond=None)[0] for m, v in zip(matrices, vectors, strict=True)])

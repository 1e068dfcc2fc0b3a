"""Levenberg-Marquardt on many points at once, for squared and robust losses, with bounds.

All points of one law move together in NumPy. A robust loss is handled by re-weighting: its gradient is that of a
weighted square, whose Gauss-Newton matrix majorises it, so every accepted step descends (iteratively re-weighted least
squares). Where delta is far below the noise (the field's 1e-3) that is slow, so delta shrinks in stages, and a stage
ends with the loss's own curvature (of Huber's only rows within delta have any), which converges in a few steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from discover.fitting.equations import Equations, Normal
from discover.objective import Objective

DAMPING = 1e-3  # at the start, in units of the matrix's diagonal
LONGEST = 0.375  # a correction in units of its step, from which on the valley bends too much to follow
STUCK = 1e12  # damping from which on a point cannot move
GAIN = 1e-14  # part of the loss that a step must promise to be worth taking
TINY = 1e-14  # the smallest delta: of absolute values that are all but zero
EXHAUSTED = 3  # steps in a row with hardly any gain after which a point rests


@dataclass(frozen=True)
class Stage:
    """A part of the way to an optimum.

    Attributes
    ----------
    wide
        Delta, in units of the typical residual of each point; 0 for the objective's own.
    steps
        Largest number of steps.
    curvature
        Whether they use the loss's own second derivative, instead of the matrix that majorises it.
    bent
        Whether steps follow the curve of a valley (geodesic acceleration): worth its double price in narrow ones.
    """

    wide: float
    steps: int
    curvature: bool = False
    bent: bool = False


ROUGH = (Stage(1.0, 8), Stage(1.0, 6, curvature=True))
FINE = (Stage(0.25, 8, curvature=True), Stage(0.0, 6), Stage(0.0, 25, curvature=True))
LAST = (Stage(0.0, 400, curvature=True, bent=True),)  # for the few best: it ends at once where they have arrived

# Absolute values: Huber's loss with an ever smaller delta (Madsen & Nielsen 1993, finite smoothing).
FINER = (
    Stage(0.25, 8, curvature=True),
    *(Stage(wide, 40, curvature=True, bent=wide > 1e-3) for wide in (3e-2, 3e-3, 3e-4, 1e-5, 1e-8)),
)


def to_the_end(objective: Objective) -> tuple[Stage, ...]:
    """The stages from a rough optimum, or from one nearby, to the very optimum."""
    return FINER if objective.shape == "mae" else (*FINE, *LAST)


def descend(equations: Equations, points: np.ndarray, which: np.ndarray, stages: Sequence[Stage]) -> np.ndarray:
    """Move every point towards a local optimum, stage by stage; no step raises the stage's loss.

    Parameters
    ----------
    points
        Shape (points, parameters), inside the bounds, with finite losses.
    which
        The problem of each point, shape (points,).
    """
    objective = equations.objective
    for stage in stages:
        if not objective.robust:
            points = _descend(equations, points, which, np.full(len(points), 1.0), replace(stage, curvature=False))
            continue
        delta = np.full(len(points), objective.delta)
        if stage.wide or objective.shape == "mae":
            typical = equations.typical(points, which)
            least = TINY if objective.shape == "mae" else objective.delta
            delta = np.maximum(stage.wide * np.nan_to_num(typical), least)
        points = _descend(equations, points, which, delta, stage)
    return points


def _descend(
    equations: Equations, points: np.ndarray, which: np.ndarray, delta: np.ndarray, stage: Stage
) -> np.ndarray:
    """Damped Gauss-Newton steps from each of `points`."""
    curvature = stage.curvature
    points, moving = points.copy(), np.arange(len(points))  # moving: place in the result of each point that still moves
    result = points.copy()
    now = equations.normal(points, which, delta, curvature=curvature)
    damping, growth, idle = np.full(len(points), DAMPING), np.full(len(points), 2.0), np.zeros(len(points), dtype=int)
    for _ in range(stage.steps):
        if not len(moving):
            break
        step, promised = _step(equations, points, now, damping)
        if stage.bent:
            step = step + _correction(equations, points, which, delta, now, damping, step, curvature=curvature)
        proposal = np.clip(points + step, equations.lower, equations.upper)
        new = equations.normal(proposal, which, delta, curvature=curvature, scale=now.scale)
        gain = now.loss - new.loss
        better = gain > 0
        with np.errstate(all="ignore"):  # Nielsen's rule: the better the promise was kept, the bolder the next step
            kept = np.clip(gain / promised, 0.0, 1.0)
        idle = np.where(better, np.where(gain > 1e-13 * now.loss, 0, idle + 1), idle)
        damping = np.where(better, damping * np.maximum(1 / 5, 1 - (2 * kept - 1) ** 3), damping * growth)
        growth = np.where(better, 2.0, growth * 2)
        taken = np.flatnonzero(better)
        points[taken] = proposal[taken]
        now.put(taken, new, taken)
        damping = np.maximum(damping, 1e-14)
        go = (damping < STUCK) & (idle < EXHAUSTED) & (promised > GAIN * now.loss) & (now.loss > 0)
        if not go.all():
            result[moving] = points
            keep = np.flatnonzero(go)
            moving, points, which, delta = moving[keep], points[keep], which[keep], delta[keep]
            now, damping, growth, idle = now.at(keep), damping[keep], growth[keep], idle[keep]
    result[moving] = points
    return result


def _step(equations: Equations, points: np.ndarray, now: Normal, damping: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The proposals of one damped step, and by how much each should lower the loss."""
    # In scaled parameters the damping is the identity and the majorant has a unit diagonal.
    with np.errstate(all="ignore"):
        gradient = now.gradient / now.scale
        matrix = now.matrix / now.scale[:, :, None] / now.scale[:, None, :]
    gradient = np.where(np.isfinite(gradient), gradient, 0.0)
    blocked = ((points <= equations.lower) & (gradient > 0)) | ((points >= equations.upper) & (gradient < 0))
    usable = np.isfinite(matrix).all(axis=(1, 2))  # else a derivative overflowed: that point stays where it is
    if blocked.any() or not usable.all():
        free = ~blocked & usable[:, None]
        matrix = np.where(free[:, :, None] & free[:, None, :], matrix, 0.0)
        gradient = np.where(free, gradient, 0.0)
        damped = matrix + (damping[:, None] + ~free)[..., None] * np.eye(points.shape[1])
    else:
        damped = matrix + damping[:, None, None] * np.eye(points.shape[1])
    step = -solve_each(damped, gradient)
    promised = -(gradient * step).sum(axis=1) - 0.5 * np.einsum("sk,skl,sl->s", step, matrix, step)
    return step / now.scale, promised


def _correction(
    equations: Equations,
    points: np.ndarray,
    which: np.ndarray,
    delta: np.ndarray,
    now: Normal,
    damping: np.ndarray,
    step: np.ndarray,
    *,
    curvature: bool,
) -> np.ndarray:
    """What makes a step follow the curve of a valley, half of the geodesic acceleration; none where it is too long."""
    bend = equations.bend(points, which, delta, step, curvature=curvature) / now.scale
    blocked = (points + step <= equations.lower) | (points + step >= equations.upper)
    with np.errstate(all="ignore"):
        matrix = now.matrix / now.scale[:, :, None] / now.scale[:, None, :]
    usable = np.isfinite(matrix).all(axis=(1, 2)) & np.isfinite(bend).all(axis=1)
    free = ~blocked & usable[:, None]
    matrix = np.where(free[:, :, None] & free[:, None, :], matrix, 0.0)
    damped = matrix + (damping[:, None] + ~free)[..., None] * np.eye(points.shape[1])
    extra = -0.5 * solve_each(damped, np.where(free, bend, 0.0))
    size, own = np.linalg.norm(extra, axis=1), np.linalg.norm(step * now.scale, axis=1)
    return np.where((size <= LONGEST * own)[:, None], extra / now.scale, 0.0)


def solve_each(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Solve a batch of small linear systems; least squares for all when one of them is singular."""
    try:
        return np.asarray(np.linalg.solve(matrices, vectors[..., None])[..., 0])
    except np.linalg.LinAlgError:
        return np.stack([np.linalg.lstsq(m, v, rcond=None)[0] for m, v in zip(matrices, vectors, strict=True)])

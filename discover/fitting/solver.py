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

DAMPING = 1e-3  # of a first step
NEARBY = 1e-6  # the same where the optimum is near
CAREFUL = 10.0  # of the first step of a law with many constants, which would else leap out of its basin
MANY = 7
LONGEST = 0.375  # a correction in units of its step, from which on the valley bends too much to follow
STUCK = 1e12  # damping from which on a point cannot move
GAIN = 1e-14  # part of the loss that a step must promise to be worth taking
TINY = 1e-14  # the smallest delta: of absolute values that are all but zero
HARDLY = 1e-13  # part of the loss that is hardly a gain
VANISHED = 1e-8  # part of the loss's root that a parameter moves when it doubles, below which its term is not there
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
    enough
        Part of the loss that a step must promise; a stage that others follow need not be exact.
    damping
        Of the first step, in units of the matrix's diagonal: little where the optimum is near.
    """

    wide: float
    steps: int
    curvature: bool = False
    bent: bool = False
    enough: float = GAIN
    damping: float = DAMPING


ROUGH = (Stage(1.0, 8, enough=1e-6), Stage(1.0, 6, curvature=True, enough=1e-6))
FINE = (
    Stage(0.25, 8, curvature=True, enough=1e-6),
    Stage(0.0, 6, enough=1e-6),
    Stage(0.0, 25, curvature=True, damping=NEARBY),
)
HOPPING = (Stage(0.0, 10), Stage(0.0, 25, curvature=True, damping=NEARBY))  # no wide stage: it would undo the hop
LAST = (
    Stage(0.0, 400, curvature=True, bent=True, damping=NEARBY),
)  # for the few best: it ends at once where they have arrived

# Absolute values: Huber's loss with an ever smaller delta (Madsen & Nielsen 1993, finite smoothing).
FINER = (
    Stage(0.25, 8, curvature=True),
    *(Stage(wide, 40, curvature=True, bent=wide > 1e-3) for wide in (3e-2, 3e-3, 3e-4, 1e-5, 1e-8)),
)


def roughly(parameters: int) -> tuple[Stage, ...]:
    """The stages from a random start to the neighbourhood of an optimum."""
    return ROUGH if parameters < MANY else (replace(ROUGH[0], damping=CAREFUL), *ROUGH[1:])


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
    stages
        What is done one after the other; a squared loss has no delta and uses only their numbers of steps.

    Returns
    -------
    The points where they ended, shape (points, parameters).
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
    result, curvature = points.copy(), stage.curvature
    now = equations.normal(points, which, delta, curvature=curvature)
    moving = _Moving.of(result, which, delta, now, stage.damping)
    for _ in range(stage.steps):
        step, promised = _step(equations, moving)
        with np.errstate(invalid="ignore"):
            go = (promised > stage.enough * moving.now.loss) & (moving.damping < STUCK) & (moving.idle < EXHAUSTED)
        if not go.all():
            result[moving.place] = moving.points
            moving, step, promised = moving.some(np.flatnonzero(go)), step[go], promised[go]
        if not len(moving.place):
            return result
        if stage.bent:
            step = step + _correction(equations, moving, step, curvature=curvature)
        proposal = np.clip(moving.points + step, equations.lower, equations.upper)
        new = equations.normal(proposal, moving.which, moving.delta, curvature=curvature, scale=moving.now.scale)
        moving.take(proposal, new, promised)
    result[moving.place] = moving.points
    return result


@dataclass
class _Moving:
    """The points that still move, one entry each: where they stand in the result, and how boldly they step."""

    place: np.ndarray
    points: np.ndarray
    which: np.ndarray
    delta: np.ndarray
    now: Normal
    damping: np.ndarray
    growth: np.ndarray  # of the damping when the next step fails
    idle: np.ndarray  # steps in a row with hardly any gain

    @classmethod
    def of(cls, points: np.ndarray, which: np.ndarray, delta: np.ndarray, now: Normal, damping: float) -> _Moving:
        count = len(points)
        start, growth, idle = np.full(count, damping), np.full(count, 2.0), np.zeros(count, dtype=int)
        return cls(np.arange(count), points.copy(), which, delta, now, start, growth, idle)

    def some(self, index: np.ndarray) -> _Moving:
        """Some of the points."""
        place, points, which, delta = (one[index] for one in (self.place, self.points, self.which, self.delta))
        damping, growth, idle = (one[index] for one in (self.damping, self.growth, self.idle))
        return _Moving(place, points, which, delta, self.now.at(index), damping, growth, idle)

    def take(self, proposal: np.ndarray, new: Normal, promised: np.ndarray) -> None:
        """Go where that lowers the loss, and learn from how well the promise was kept (Nielsen's rule)."""
        gain = self.now.loss - new.loss
        better = gain > 0
        with np.errstate(all="ignore"):
            kept = np.clip(gain / promised, 0.0, 1.0)
            bolder = self.damping * np.maximum(1 / 5, 1 - (2 * kept - 1) ** 3)
            hardly = gain <= HARDLY * self.now.loss
        self.idle = np.where(better, np.where(hardly, self.idle + 1, 0), self.idle)
        self.damping = np.maximum(np.where(better, bolder, self.damping * self.growth), 1e-14)
        self.growth = np.where(better, 2.0, self.growth * 2)
        taken = np.flatnonzero(better)
        self.points[taken] = proposal[taken]
        self.now.put(taken, new, taken)


def _step(equations: Equations, moving: _Moving) -> tuple[np.ndarray, np.ndarray]:
    """A damped step of each point, and by how much it should lower the loss."""
    points, now, damping = moving.points, moving.now, moving.damping
    # In scaled parameters the damping is the identity and the majorant has a unit diagonal.
    with np.errstate(all="ignore"):
        gradient = now.gradient / now.scale
        matrix = now.matrix / now.scale[:, :, None] / now.scale[:, None, :]
    gradient = np.where(np.isfinite(gradient), gradient, 0.0)
    blocked = ((points <= equations.lower) & (gradient > 0)) | ((points >= equations.upper) & (gradient < 0))
    # A term that has vanished promises its gain at the end of all numbers, and every step towards it fails. Once steps
    # fail, what would not change the loss if it were as large again is held, so that the others can go on.
    blocked |= (damping[:, None] > 1) & (now.scale * (1 + np.abs(points)) < VANISHED * np.sqrt(now.loss)[:, None])
    usable = np.isfinite(matrix).all(axis=(1, 2))  # else a derivative overflowed: that point stays where it is
    if blocked.any() or not usable.all():
        free = ~blocked & usable[:, None]
        matrix = np.where(free[:, :, None] & free[:, None, :], matrix, 0.0)
        gradient = np.where(free, gradient, 0.0)
        damped = matrix + (damping[:, None] + ~free)[..., None] * np.eye(points.shape[1])
    else:
        damped = matrix + damping[:, None, None] * np.eye(points.shape[1])
    step = -solve_each(damped, gradient)
    with np.errstate(over="ignore", invalid="ignore"):  # a matrix that is all but singular: its step is refused
        promised = -(gradient * step).sum(axis=1) - 0.5 * np.einsum("sk,skl,sl->s", step, matrix, step)
        return step / now.scale, promised


def _correction(equations: Equations, moving: _Moving, step: np.ndarray, *, curvature: bool) -> np.ndarray:
    """What makes a step follow the curve of a valley, half of the geodesic acceleration; none where it is too long."""
    points, now, damping = moving.points, moving.now, moving.damping
    bend = equations.bend(points, moving.which, moving.delta, step, curvature=curvature)
    blocked = (points + step <= equations.lower) | (points + step >= equations.upper)
    with np.errstate(all="ignore"):  # what is not finite is not used
        bend = bend / now.scale
        matrix = now.matrix / now.scale[:, :, None] / now.scale[:, None, :]
    usable = np.isfinite(matrix).all(axis=(1, 2)) & np.isfinite(bend).all(axis=1)
    free = ~blocked & usable[:, None]
    matrix = np.where(free[:, :, None] & free[:, None, :], matrix, 0.0)
    damped = matrix + (damping[:, None] + ~free)[..., None] * np.eye(points.shape[1])
    extra = -0.5 * solve_each(damped, np.where(free, bend, 0.0))
    with np.errstate(over="ignore", invalid="ignore"):  # a correction that is not finite is too long
        size, own = np.linalg.norm(extra, axis=1), np.linalg.norm(step * now.scale, axis=1)
        return np.where((size <= LONGEST * own)[:, None], extra / now.scale, 0.0)


def solve_each(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Solve a batch of small linear systems; least squares for all when one of them is singular."""
    try:
        return np.asarray(np.linalg.solve(matrices, vectors[..., None])[..., 0])
    except np.linalg.LinAlgError:
        return np.stack([np.linalg.lstsq(m, v, rcond=None)[0] for m, v in zip(matrices, vectors, strict=True)])

"""Standard errors of fitted constants from the covariance of a robust (M-) estimator.

For a loss rho with derivative psi the covariance is the sandwich ``inv(H) @ G @ inv(H)`` with
``H = sum psi'(r) j j.T`` and ``G = sum psi(r)**2 j j.T`` (Huber 1981, section 7.6), which holds when the noise differs
between rows. With delta far below the noise, psi' is one for a handful of rows only; each row therefore counts with the
probability that its residual, smoothed by a Gaussian kernel, lies within delta (Powell 1991, for quantile regression).
A squared loss has the classical covariance instead: that of noise of one variance (over the row's weight).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from discover.objective import NORMAL, Objective

FLAT = 1e-7  # ratio of singular values below which a direction is not determined
NODES = 40  # of the mean over a kernel
SHARE = 1e-3  # of a constant that lies in such directions, from which on it is not determined either
BLOCK = 500_000  # derivatives that are held at once


@dataclass(frozen=True)
class Certainty:
    """How well the rows determine the constants at the optimum.

    Attributes
    ----------
    covariance
        Shape (constants, constants); NaN on the diagonal of constants that are not determined.
    flat
        Groups of constants that are not determined, by index: those of one group trade off among each other.
    bread
        Expected second derivatives of the objective, H above, shape (constants, constants).
    condition
        Largest over smallest singular value of the Jacobian with columns of length one: 1 when the constants do not
        interfere, infinite when a direction is not determined at all.
    """

    covariance: np.ndarray
    flat: list[list[int]]
    bread: np.ndarray
    condition: float


def certainty(
    residual: np.ndarray,
    jacobian: Callable[[slice], np.ndarray],
    n_constants: int,
    objective: Objective,
    weight: np.ndarray | None = None,
) -> Certainty:
    """Covariance of the constants, and the directions that the rows do not determine.

    Parameters
    ----------
    residual
        At the optimum, shape (rows,).
    jacobian
        Gives the derivatives of the residuals of some of the rows, shape (rows, constants).
    n_constants
        Number of constants that move.
    objective
        What was minimised.
    weight
        Weight of each row in the objective, shape (rows,).
    """
    if not n_constants:
        return Certainty(np.zeros((0, 0)), [], np.zeros((0, 0)), 1.0)
    unknown = np.full((n_constants, n_constants), np.nan)
    nothing = Certainty(unknown, [list(range(n_constants))], unknown, np.inf)
    if not np.isfinite(residual).all():
        return nothing
    triangle = np.zeros((0, n_constants))
    for rows in _slices(len(residual), n_constants):
        block = jacobian(rows)
        if not np.isfinite(block).all():
            return nothing
        if weight is not None:
            block = block * np.sqrt(weight[rows])[:, None]
        triangle = np.asarray(np.linalg.qr(np.concatenate([triangle, block]), mode="r"))
    with np.errstate(over="ignore"):
        length = np.linalg.norm(triangle, axis=0)
    scale = np.where(length > 0, length, 1.0)
    _, singular, directions = np.linalg.svd(triangle / scale, full_matrices=False)
    determined = singular > FLAT * singular[0]
    flat = _groups(directions[~determined])
    turned = directions[determined].T  # constants x determined directions
    bread, middle = _sandwich(residual, lambda rows: (jacobian(rows) / scale) @ turned, objective, weight)
    inner = turned @ middle @ turned.T
    with np.errstate(over="ignore"):  # a term all but vanishes: its constant may be anything
        result = inner / scale[:, None] / scale
    known = {k for group in flat for k in group}
    flat += [[k] for k in range(n_constants) if k not in known and not np.isfinite(result[k, k])]
    for k in {k for group in flat for k in group}:
        result[k, k] = np.nan
    least = abs(singular[-1]) if len(singular) == n_constants else 0.0
    with np.errstate(over="ignore"):
        condition = float(singular[0] / least) if least else np.inf
    with np.errstate(over="ignore", invalid="ignore"):  # of a constant that is not determined it is no number
        spread = (turned @ bread @ turned.T) * scale[:, None] * scale
    return Certainty(result, flat, spread, condition)


def inside(
    residual: np.ndarray, objective: Objective, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The loss's derivative psi at each residual, and the expectation of its second derivative psi'.

    Huber's psi' is zero or one, that of absolute values is zero but for a jump at zero, and that of soft_l1 is all but
    zero beyond delta: they are smoothed by a Gaussian kernel over the residuals, with Silverman's width from their
    robust scale.
    """
    if objective.shape == "squared":
        return residual, np.ones_like(residual)
    delta = objective.delta
    size = np.abs(residual if weight is None else residual[weight > 0])
    width = 0.9 * NORMAL * float(np.median(size)) * len(size) ** -0.2
    if objective.shape == "mae":
        return np.sign(residual), 2 * norm.pdf(residual / width) / width if width else np.zeros_like(residual)
    if objective.shape == "soft_l1":
        psi = residual * objective.weight(residual)
        if width <= delta:
            return psi, objective.curvature(residual)
        # psi' is 2 delta times the density of Student's t with two degrees of freedom, delta/sqrt(2) wide.
        middle = (np.arange(NODES) + 0.5) / NODES
        nodes = delta * (middle - 0.5) / np.sqrt(middle * (1 - middle))
        smooth = np.mean([norm.pdf((residual - node) / width) for node in nodes], axis=0) / width
        return psi, 2 * delta * smooth
    psi = np.clip(residual, -delta, delta)
    if width == 0:
        return psi, objective.curvature(residual)
    return psi, norm.cdf((delta - residual) / width) - norm.cdf((-delta - residual) / width)


def _sandwich(
    residual: np.ndarray, jacobian: Callable[[slice], np.ndarray], objective: Objective, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """The expected second derivatives, and the covariance."""
    own = np.ones_like(residual) if weight is None else weight
    psi, slope = inside(residual, objective, weight)
    n_constants = jacobian(slice(0, 1)).shape[1]
    n_rows = int(np.sum(own > 0))
    freedom = max(1, n_rows - n_constants)
    bread, meat = np.zeros((n_constants, n_constants)), np.zeros((n_constants, n_constants))
    for rows in _slices(len(residual), n_constants):
        block = jacobian(rows)
        bread += (block * (own * slope)[rows, None]).T @ block
        meat += (block * ((own * psi) ** 2)[rows, None]).T @ block
    inverse = np.linalg.pinv(bread)
    if not objective.robust:  # the classical covariance, of noise with a variance of one over the weight
        return bread, np.asarray(inverse * float(np.sum(own * residual**2)) / freedom)
    return bread, np.asarray(inverse @ meat @ inverse * n_rows / freedom)


def _slices(rows: int, size: int) -> Iterator[slice]:
    step = max(1, BLOCK // max(1, size))
    for first in range(0, rows, step):
        yield slice(first, min(first + step, rows))


def _groups(directions: np.ndarray) -> list[list[int]]:
    """Constants that the undetermined `directions` join, as groups of indices.

    Any rotation of the directions spans the same space, so that single directions say nothing; their projector does.
    """
    projector = directions.T @ directions
    left = np.flatnonzero(np.diag(projector) > SHARE).tolist()
    groups = []
    while left:
        group, new = [], [left[0]]
        while new:
            group += new
            left = [k for k in left if k not in new]
            new = [k for k in left if np.abs(projector[k, group]).max() > SHARE]
        groups.append(sorted(group))
    return groups
